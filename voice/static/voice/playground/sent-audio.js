// Records when each part of the stream was sent, to measure an answer's delay. Pure.

export class SentAudio {
  #marks = []; // {end: samples sent so far, at: ms}

  /** @param {number} rateHz */
  constructor(rateHz) {
    this.rateHz = rateHz;
  }

  /** Seconds sent so far. */
  get duration() {
    return (this.#marks.at(-1)?.end ?? 0) / this.rateHz;
  }

  /** @param {number} sampleCount @param {number} at  ms */
  sent(sampleCount, at) {
    this.#marks.push({ end: (this.#marks.at(-1)?.end ?? 0) + sampleCount, at });
  }

  /**
   * When the audio at this time had been sent. A time past the end counts as the end, because engines round.
   * @param {number} seconds @returns {number} ms; NaN when nothing was sent
   */
  at(seconds) {
    const wanted = Math.ceil(seconds * this.rateHz);
    const after = this.#marks.findLastIndex(({ end }) => end < wanted) + 1;
    return (this.#marks[after] ?? this.#marks.at(-1))?.at ?? NaN;
  }
}
