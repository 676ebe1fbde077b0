// Plays speech while it arrives: chunks in a row on the audio clock, without gaps.

const LEAD_S = 0.03; // delay of the first chunk, so that it does not start late

export class Playback {
  #context = null;
  #sources = new Set();
  #until = 0; // audio time at which the last chunk ends
  /** @type {AnalyserNode|null} */ analyser = null;

  /** Needs a user gesture. @param {number} rateHz */
  async open(rateHz) {
    this.stop();
    if (!this.#context) {
      this.#context = new AudioContext({ sampleRate: rateHz });
      this.analyser = new AnalyserNode(this.#context, { fftSize: 1024 });
      this.analyser.connect(this.#context.destination);
    }
    await this.#context.resume();
  }

  /** @param {Float32Array} samples  -1..1, at the rate of `open` */
  push(samples) {
    if (!samples.length) return;
    const context = this.#context;
    const buffer = context.createBuffer(1, samples.length, context.sampleRate);
    buffer.copyToChannel(samples, 0);
    const source = new AudioBufferSourceNode(context, { buffer });
    source.connect(this.analyser);
    const at = Math.max(this.#until, context.currentTime + LEAD_S);
    source.start(at);
    this.#until = at + buffer.duration;
    this.#sources.add(source);
    source.addEventListener("ended", () => this.#sources.delete(source));
  }

  /** @returns {Promise<void>} resolves when the audio pushed so far has been played or stopped */
  async heard() {
    const last = [...this.#sources].at(-1);
    if (last) await new Promise((resolve) => last.addEventListener("ended", resolve));
  }

  stop() {
    for (const source of this.#sources) source.stop();
    this.#sources.clear();
    this.#until = 0;
  }
}
