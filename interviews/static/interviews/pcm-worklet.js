// Runs on the audio thread: microphone blocks in, 250 ms frames of 16 kHz s16le out.
// In: {start: limit in samples} | {flush: true} | {stop: true}. Out: {frame: ArrayBuffer} | {stopped: "asked"|"limit"}.

import { Framer, Resampler } from "./pcm.js";
import { SAMPLE_RATE_HZ } from "./wire.js";

class PcmCapture extends AudioWorkletProcessor {
  #framer = null;
  #resampler = null;

  constructor() {
    super();
    this.port.onmessage = ({ data }) => {
      if (data.flush) this.#flush();
      else if (data.stop) this.#stop("asked");
      else this.#start(data.start);
    };
  }

  #start(limit) {
    this.#framer = new Framer(limit);
    this.#resampler = sampleRate === SAMPLE_RATE_HZ ? null : new Resampler(sampleRate);
  }

  #post(frame) {
    this.port.postMessage({ frame: frame.buffer }, [frame.buffer]);
  }

  #flush() {
    const rest = this.#framer?.flush();
    if (rest) this.#post(rest);
  }

  #stop(reason) {
    if (!this.#framer) return; // the limit came first
    this.#flush();
    this.#framer = null;
    this.port.postMessage({ stopped: reason });
  }

  process([[block]]) {
    if (!this.#framer || !block) return true;
    this.#framer.push(this.#resampler ? this.#resampler.push(block) : block).forEach((frame) => this.#post(frame));
    if (this.#framer.isFull) this.#stop("limit");
    return true;
  }
}

registerProcessor("pcm-capture", PcmCapture);
