// Whether the microphone works, from what the browser says about it and from the sound that comes.
// Pure: the caller passes facts and times.

const NO_SAMPLES_MS = 2_000;
const SETTLE_MS = 1_000; // browsers suspend and mute for a moment when they switch devices
const NO_SOUND_MS = 2_000;
const NO_SOUND_PEAK = 2 / 32768; // -84 dBFS: echo cancellers add a noise of -96 dBFS to zeros

/**
 * @typedef {object} Facts
 * @property {string} context  the state of the AudioContext: running, suspended, interrupted or closed
 * @property {boolean} isMuted  by the system, or by a key of the device that the system knows
 * @property {boolean} isEnded  unplugged, or taken away from the page
 *
 * @typedef {"unplugged"|"interrupted"|"muted"|"no_samples"} Trouble  names the text that tells people what to do
 */

/** One open microphone. Times are ms of one clock that never goes back. */
export class Health {
  #lookedAt;
  #samplesAt;
  #soundAt;
  #notRunningSince = null;
  #mutedSince = null;

  /** @param {number} nowMs  when the microphone was opened */
  constructor(nowMs) {
    this.#lookedAt = this.#samplesAt = this.#soundAt = nowMs;
  }

  /** Samples came. @param {number} peak  the highest of them, 0..1 @param {number} nowMs */
  came(peak, nowMs) {
    this.#samplesAt = nowMs;
    if (peak > NO_SOUND_PEAK) this.#soundAt = nowMs;
  }

  /** @param {Facts} facts @param {number} nowMs @returns {Trouble|null} null: it works */
  troubleAt({ context, isMuted, isEnded }, nowMs) {
    this.#notRunningSince = context === "running" ? null : (this.#notRunningSince ?? nowMs);
    this.#mutedSince = isMuted ? (this.#mutedSince ?? nowMs) : null;
    // A page that did not run for so long, as on a device that slept, has not missed anything yet.
    if (nowMs - this.#lookedAt >= NO_SAMPLES_MS) this.#samplesAt = nowMs;
    this.#lookedAt = nowMs;
    if (isEnded) return "unplugged";
    if (hasLasted(this.#notRunningSince, nowMs)) return "interrupted";
    if (hasLasted(this.#mutedSince, nowMs)) return "muted";
    return nowMs - this.#samplesAt >= NO_SAMPLES_MS ? "no_samples" : null;
  }

  /**
   * Whether any sound came lately. A microphone that is muted by a switch of its own, which the system does not
   * know, delivers next to nothing; so do some filters against noise while their owner is silent.
   * @param {number} nowMs
   */
  hasSound(nowMs) {
    return nowMs - this.#soundAt < NO_SOUND_MS;
  }
}

const hasLasted = (sinceMs, nowMs) => sinceMs !== null && nowMs - sinceMs >= SETTLE_MS;
