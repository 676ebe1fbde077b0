// Converts the audio context's floats to 16 kHz s16le frames. Pure: runs in the AudioWorklet and in node.

/** The rate that recognition takes. */
export const SAMPLE_RATE_HZ = 16_000;
const FRAME_SAMPLES = 4_000;
const ZERO_CROSSINGS = 16; // each side of the filter: stop band below -70 dB, 1 ms of delay

const gcd = (a, b) => (b ? gcd(b, a % b) : a);
const sinc = (x) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));
const blackman = (x) => 0.42 + 0.5 * Math.cos(Math.PI * x) + 0.08 * Math.cos(2 * Math.PI * x);

/**
 * Streaming polyphase windowed-sinc resampler. Positions are integers, so the sample count never drifts and
 * does not depend on how the input is cut.
 * Source: J. O. Smith, Digital Audio Resampling, https://ccrma.stanford.edu/~jos/resample/
 */
export class Resampler {
  #step;
  #phases;
  #taps;
  #kernels;
  #kept; // input still needed, including the filter's reach
  #position = 0; // of the next output sample in #kept, in units of 1/phases input samples

  /** @param {number} fromHz @param {number} toHz */
  constructor(fromHz, toHz = SAMPLE_RATE_HZ) {
    const divisor = gcd(fromHz, toHz);
    this.#step = fromHz / divisor;
    this.#phases = toHz / divisor;
    const cutoff = Math.min(1, toHz / fromHz) * 0.94;
    const reach = Math.ceil(ZERO_CROSSINGS / cutoff);
    this.#taps = 2 * reach;
    this.#kernels = Array.from({ length: this.#phases }, (_, phase) => this.#kernel(phase, cutoff, reach));
    this.#kept = new Float32Array(reach - 1); // silence before the first sample
  }

  #kernel(phase, cutoff, reach) {
    const at = (tap) => tap - (reach - 1) - phase / this.#phases;
    const kernel = Float32Array.from({ length: this.#taps }, (_, tap) =>
      Math.abs(at(tap)) > reach ? 0 : sinc(cutoff * at(tap)) * blackman(at(tap) / reach),
    );
    const gain = kernel.reduce((sum, value) => sum + value, 0);
    return kernel.map((value) => value / gain);
  }

  /** @param {Float32Array} input @returns {Float32Array} */
  push(input) {
    const all = new Float32Array(this.#kept.length + input.length);
    all.set(this.#kept);
    all.set(input, this.#kept.length);
    const output = [];
    for (; Math.floor(this.#position / this.#phases) + this.#taps <= all.length; this.#position += this.#step) {
      output.push(this.#sample(all, Math.floor(this.#position / this.#phases), this.#position % this.#phases));
    }
    const used = Math.min(all.length, Math.floor(this.#position / this.#phases));
    this.#position -= used * this.#phases;
    this.#kept = all.slice(used);
    return Float32Array.from(output);
  }

  #sample(all, start, phase) {
    const kernel = this.#kernels[phase];
    let sum = 0;
    for (let tap = 0; tap < kernel.length; tap++) sum += kernel[tap] * all[start + tap];
    return sum;
  }
}

/** Cuts floats into s16 frames of equal size, 250 ms by default; `flush` returns the shorter last one. */
export class Framer {
  #frame;
  #filled = 0;
  /** samples taken so far */
  samples = 0;

  /** @param {number} limit  samples; later ones are ignored @param {number} frameSamples */
  constructor(limit = Infinity, frameSamples = FRAME_SAMPLES) {
    this.limit = limit;
    this.frameSamples = frameSamples;
    this.#frame = new Int16Array(frameSamples);
  }

  get isFull() {
    return this.samples >= this.limit;
  }

  /** @param {Float32Array} input  -1..1 @returns {Int16Array[]} the frames that it completed */
  push(input) {
    const frames = [];
    const count = Math.min(input.length, this.limit - this.samples);
    for (let i = 0; i < count; i++) {
      this.#frame[this.#filled++] = Math.max(-32768, Math.min(32767, Math.round(input[i] * 32768)));
      if (this.#filled === this.frameSamples) frames.push(this.flush());
    }
    this.samples += count;
    return frames;
  }

  /** @returns {Int16Array|null} the rest, shorter than a frame */
  flush() {
    if (this.#filled === 0) return null;
    const frame = this.#frame.slice(0, this.#filled);
    this.#filled = 0;
    return frame;
  }
}
