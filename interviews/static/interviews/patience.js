// Notices when the server owes this page something and nothing moves: an event was lost. Pure: is given the time.

const PATIENCE_MS = 10_000;

export class Patience {
  #since = 0;

  /** Something came from the server, or was asked of it. @param {number} nowMs */
  moved(nowMs) {
    this.#since = nowMs;
  }

  /**
   * @param {boolean} isWaiting
   * @param {number} nowMs
   * @returns {boolean} time to ask afresh; then patience begins again
   */
  isOver(isWaiting, nowMs) {
    const isOver = isWaiting && nowMs - this.#since >= PATIENCE_MS;
    if (isOver || !isWaiting) this.#since = nowMs;
    return isOver;
  }
}
