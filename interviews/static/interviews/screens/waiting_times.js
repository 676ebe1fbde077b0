// Texts for the waiting room, and how often they are read aloud. Pure: the caller passes the time.

const SAY_EVERY_MS = 60_000; // a screen reader should not announce every place

/**
 * Returns the text for the estimate, which the server has rounded up.
 * @param {number} estimateS
 * @returns {{name: string, n: number}}  a text of the page, and its number of minutes
 */
export function estimateText(estimateS) {
  const n = Math.ceil(estimateS / 60);
  if (estimateS < 60) return { name: "wait-short", n };
  return { name: n < 60 ? "wait-minutes" : "wait-long", n };
}

/** Limits the announcements to a screen reader. */
export class Herald {
  #said;
  #saidAt;

  /** @param {string} shown  the screen's first text, which is read without an announcement @param {number} nowMs */
  constructor(shown, nowMs) {
    this.#said = shown;
    this.#saidAt = nowMs;
  }

  /**
   * @param {string} sentence
   * @param {number} nowMs
   * @returns {boolean} whether the sentence has changed and may be announced
   */
  isToSay(sentence, nowMs) {
    if (sentence === this.#said || nowMs - this.#saidAt < SAY_EVERY_MS) return false;
    this.#said = sentence;
    this.#saidAt = nowMs;
    return true;
  }
}
