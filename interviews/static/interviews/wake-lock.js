// Keeps the screen on during the interview: a dark screen would end the recording on a phone.

/** Browsers drop the lock whenever the page is hidden, so it is asked for again when it is seen. */
export class WakeLock {
  #isWanted = false;
  #lock = null;

  /** @param {{wakeLock?: WakeLock}} navigator @param {Document} page */
  constructor(navigator, page) {
    this.navigator = navigator;
    this.page = page;
    page.addEventListener("visibilitychange", () => this.#request());
  }

  /** From now on. */
  keep() {
    this.#isWanted = true;
    this.#request();
  }

  async release() {
    this.#isWanted = false;
    await this.#lock?.release();
    this.#lock = null;
  }

  async #request() {
    if (!this.#isWanted || this.page.hidden || (this.#lock && !this.#lock.released)) return;
    // Refused, for example to save the battery: then the screen may go dark.
    this.#lock = (await this.navigator.wakeLock?.request("screen").catch(() => null)) ?? null;
    if (!this.#isWanted) await this.release();
  }
}
