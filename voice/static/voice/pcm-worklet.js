// Runs on the audio thread: microphone blocks in, frames of 16 kHz s16le out.
// In: {start: limit in samples, frameSamples} | {flush: true} | {stop: true} | {listen: true} |
//   {forget: true}.
// Out: {frame: ArrayBuffer} | {stopped: "asked"|"limit"} | {voice: true}, once `listen` has detected speech.

import { Preroll, VoiceOnset } from "./onset.js";
import { Framer, Resampler, SAMPLE_RATE_HZ } from "./pcm.js";

const PREROLL_SAMPLES = 1.5 * SAMPLE_RATE_HZ; // a soft voice is detected a second after its beginning

class PcmCapture extends AudioWorkletProcessor {
  #framer = null;
  #resampler = null;
  #preroll = null; // while listening, and after speech was detected, until the recording begins
  #onset = null;

  constructor() {
    super();
    this.port.onmessage = ({ data }) => {
      if (data.flush) this.#flush();
      else if (data.stop) this.#stop("asked");
      else if (data.listen) this.#listen();
      else if (data.forget) this.#preroll = this.#onset = null;
      else this.#start(data.start, data.frameSamples);
    };
  }

  #listen() {
    this.#preroll = new Preroll(PREROLL_SAMPLES);
    this.#onset = new VoiceOnset();
    this.#resampler = newResampler();
  }

  /** Buffered audio from before the detected speech comes first. Without detected speech there is none. */
  #start(limit, frameSamples) {
    const held = this.#preroll && !this.#onset ? this.#preroll.take() : null;
    this.#preroll = this.#onset = null;
    this.#framer = new Framer(limit, frameSamples);
    if (held) held.forEach((block) => this.#record(block));
    else this.#resampler = newResampler();
  }

  #post(frame) {
    this.port.postMessage({ frame: frame.buffer }, [frame.buffer]);
  }

  #flush() {
    const rest = this.#framer?.flush();
    if (rest) this.#post(rest);
  }

  #stop(reason) {
    if (!this.#framer) return; // the limit was reached first
    this.#flush();
    this.#framer = null;
    this.port.postMessage({ stopped: reason });
  }

  process([[block]]) {
    if (!block || !(this.#framer || this.#preroll)) return true;
    const samples = this.#resampler ? this.#resampler.push(block) : block;
    if (this.#framer) this.#record(samples);
    else this.#hear(samples);
    return true;
  }

  #record(samples) {
    this.#framer?.push(samples).forEach((frame) => this.#post(frame));
    if (this.#framer?.isFull) this.#stop("limit");
  }

  #hear(samples) {
    this.#preroll.push(samples);
    if (!this.#onset?.push(samples)) return;
    this.#onset = null;
    this.#preroll.hold();
    this.port.postMessage({ voice: true });
  }
}

const newResampler = () => (sampleRate === SAMPLE_RATE_HZ ? null : new Resampler(sampleRate));

registerProcessor("pcm-capture", PcmCapture);
