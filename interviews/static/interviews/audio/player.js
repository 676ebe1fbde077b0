// Plays a spoken question. One audio element for the whole interview, unlocked once by a user gesture.

const STALL_MS = 15_000;
const FADE_MS = 250;
const FADE_STEP_MS = 25;

export class Player {
  #audio = new Audio();
  #settle = () => {};
  #fading = null;

  /**
   * @param {string|null} url
   * @param {() => void} [onPlaying]  playback started, or continued after a stall
   * @returns {Promise<"ended"|"blocked"|"absent"|"stopped">} absent: no audio, or it cannot be fetched
   */
  play(url, onPlaying = () => {}) {
    this.stop();
    this.#endFade();
    if (!url) return Promise.resolve("absent");
    const audio = this.#audio;
    return new Promise((resolve) => {
      const settle = (result) => {
        clearTimeout(timer);
        resolve(result);
      };
      let timer = setTimeout(() => settle("absent"), STALL_MS);
      audio.ontimeupdate = () => {
        clearTimeout(timer);
        timer = setTimeout(() => settle("absent"), STALL_MS);
      };
      audio.onplaying = () => {
        audio.ontimeupdate();
        onPlaying();
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
    if (!this.#fading) this.#audio.pause();
  }

  /** Fades out, because the candidate has begun to speak. */
  fadeOut() {
    this.#settle("stopped");
    this.#endFade();
    const audio = this.#audio;
    this.#fading = setInterval(() => {
      audio.volume = Math.max(0, audio.volume - FADE_STEP_MS / FADE_MS);
      if (audio.volume === 0) this.#endFade();
    }, FADE_STEP_MS);
  }

  #endFade() {
    if (!this.#fading) return;
    clearInterval(this.#fading);
    this.#fading = null;
    this.#audio.pause();
    this.#audio.volume = 1;
  }
}
