// What a candidate in line is told, and how often aloud. Pure: is given the time.

const SAY_EVERY_MS = 60_000; // a screen reader that counts every place down would be no comfort

/**
 * The server rounds the estimate up; no more is promised than it knows.
 * @param {number} estimateS
 * @returns {{name: string, n: number}}  a text of the page, and its number of minutes
 */
export function estimateText(estimateS) {
  const n = Math.ceil(estimateS / 60);
  if (estimateS < 60) return { name: "wait-short", n };
  return { name: n < 60 ? "wait-minutes" : "wait-long", n };
}

/** Lets a screen reader hear of the line from time to time. */
export class Herald {
  #said;
  #saidAt;

  /** @param {string} shown  what the screen shows when it comes, which is read anyway @param {number} nowMs */
  constructor(shown, nowMs) {
    this.#said = shown;
    this.#saidAt = nowMs;
  }

  /**
   * @param {string} sentence
   * @param {number} nowMs
   * @returns {boolean} it is news, and time to say it
   */
  isToSay(sentence, nowMs) {
    if (sentence === this.#said || nowMs - this.#saidAt < SAY_EVERY_MS) return false;
    this.#said = sentence;
    this.#saidAt = nowMs;
    return true;
  }
}
