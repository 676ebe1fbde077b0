// Plays a spoken question. One element for the whole interview: a gesture unlocks it once.

const STALL_MS = 15_000;

export class Player {
  #audio = new Audio();
  #settle = () => {};

  /**
   * @param {string|null} url
   * @returns {Promise<"ended"|"blocked"|"absent"|"stopped">} absent: no speech, or it cannot be fetched
   */
  play(url) {
    this.stop();
    if (!url) return Promise.resolve("absent");
    const audio = this.#audio;
    return new Promise((resolve) => {
      const settle = (result) => {
        clearTimeout(timer);
        resolve(result);
      };
      let timer = setTimeout(() => settle("absent"), STALL_MS);
      audio.onplaying = audio.ontimeupdate = () => {
        clearTimeout(timer);
        timer = setTimeout(() => settle("absent"), STALL_MS);
      };
      audio.onended = () => settle("ended");
      audio.onerror = () => settle("absent");
      this.#settle = settle;
      audio.src = url;
      audio.play().catch((error) => settle(error.name === "NotAllowedError" ? "blocked" : "absent"));
    });
  }

  stop() {
    this.#settle("stopped");
    this.#audio.pause();
  }
}
