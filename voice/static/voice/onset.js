// Detects a speaker who starts while the page is speaking, and keeps the speech. Pure, in the AudioWorklet.

import { SAMPLE_RATE_HZ } from "./pcm.js";
import { decibels, FRAME_SAMPLES, periodicity } from "./voicing.js";

const PERIODICITY = 0.5; // of vowels, 0..1; keys, breath and fans stay below
const QUIETEST_DB = -50;
const ABOVE_ECHO_DB = 10;
const LEARN_FRAMES = 25; // 0.8 s of the page alone, as far as the browser leaves its echo in
const WINDOW_FRAMES = 16;
const VOICED_FRAMES = 9; // 290 ms of the last half second: a word and a half, longer than a cough or "mm"

/**
 * Distinguishes a voice near the microphone from the page's own, which comes back from the loudspeaker. The
 * browser removes most of that echo (echoCancellation). The first moments show the level of the rest, and a
 * voice must be louder.
 */
export class VoiceOnset {
  #frame = new Float32Array(FRAME_SAMPLES);
  #filled = 0;
  #frames = 0;
  #echoDb = QUIETEST_DB - ABOVE_ECHO_DB;
  #voiced = []; // of the last WINDOW_FRAMES

  /** @param {Float32Array} samples  16 kHz, -1..1 @returns {boolean} whether a person speaks */
  push(samples) {
    let isHeard = false;
    for (const sample of samples) {
      this.#frame[this.#filled++] = sample;
      if (this.#filled < FRAME_SAMPLES) continue;
      this.#filled = 0;
      isHeard = this.#take(this.#frame) || isHeard;
    }
    return isHeard;
  }

  #take(frame) {
    const db = decibels(frame);
    if (this.#frames++ < LEARN_FRAMES) {
      this.#echoDb = Math.max(this.#echoDb, db);
      return false;
    }
    this.#voiced.push(db > this.#echoDb + ABOVE_ECHO_DB && periodicity(frame) > PERIODICITY);
    if (this.#voiced.length > WINDOW_FRAMES) this.#voiced.shift();
    return this.#voiced.filter(Boolean).length >= VOICED_FRAMES;
  }
}

/** Buffers the newest audio, and all of it from `hold` on: the beginning of a recording that may follow. */
export class Preroll {
  #blocks = [];
  #samples = 0;
  #isHolding = false;

  /**
   * @param {number} samples  kept before `hold`
   * @param {number} longest  kept after it; later audio is dropped
   */
  constructor(samples, longest = 60 * SAMPLE_RATE_HZ) {
    this.wanted = samples;
    this.longest = longest;
  }

  /** @param {Float32Array} block  copied */
  push(block) {
    if (this.#isHolding && this.#samples >= this.longest) return;
    this.#blocks.push(block.slice());
    this.#samples += block.length;
    while (!this.#isHolding && this.#samples - this.#blocks[0].length >= this.wanted) {
      this.#samples -= this.#blocks.shift().length;
    }
  }

  hold() {
    this.#isHolding = true;
  }

  /** @returns {Float32Array[]} the buffered audio, in order */
  take() {
    return this.#blocks.splice(0);
  }
}
