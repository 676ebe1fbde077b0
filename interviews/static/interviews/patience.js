// Detects a lost event: the page waits for the server and nothing arrives. Pure: the caller passes the time.

const PATIENCE_MS = 10_000;

export class Patience {
  #since = 0;

  /** Call after a message from the server or a command to it. @param {number} nowMs */
  moved(nowMs) {
    this.#since = nowMs;
  }

  /**
   * @param {boolean} isWaiting
   * @param {number} nowMs
   * @returns {boolean} whether to ask for a new snapshot; then the timer starts again
   */
  isOver(isWaiting, nowMs) {
    const isOver = isWaiting && nowMs - this.#since >= PATIENCE_MS;
    if (isOver || !isWaiting) this.#since = nowMs;
    return isOver;
  }
}
