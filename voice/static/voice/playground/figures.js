// Formats figures: numbers in the language's style, units by their SI symbols. Pure.

/** @param {string} language  of the page */
export class Figures {
  constructor(language) {
    this.whole = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });
    this.hundredths = new Intl.NumberFormat(language, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
    this.number = new Intl.NumberFormat(language, { maximumFractionDigits: 3, maximumSignificantDigits: 3 });
    this.percentage = new Intl.NumberFormat(language, { style: "percent" });
  }

  /** A delay: in milliseconds up to a second. @param {number} ms @returns {string} "" for no number */
  wait(ms) {
    if (!Number.isFinite(ms)) return "";
    return ms < 1000 ? `${this.whole.format(ms)}\u00a0ms` : this.time(ms / 1000);
  }

  /** A position or a length in audio. @param {number} seconds @returns {string} "" for no number */
  time(seconds) {
    return Number.isFinite(seconds) ? `${this.hundredths.format(seconds)}\u00a0s` : "";
  }

  /** @param {number} share  0..1 @returns {string} "" for no number */
  percent(share) {
    return Number.isFinite(share) ? this.percentage.format(share) : "";
  }

  /** Time taken for each second of audio. @param {number} tookMs @param {number} seconds @returns {string} */
  factor(tookMs, seconds) {
    return Number.isFinite(tookMs) && seconds > 0 ? this.number.format(tookMs / 1000 / seconds) : "";
  }

  /** @param {number} value @returns {string} */
  plain(value) {
    return this.number.format(value);
  }
}
