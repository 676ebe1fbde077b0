// Runs on the audio thread: microphone blocks in, frames of 16 kHz s16le out.
// In: {start: limit in samples, id, frameSamples} | {flush: true} | {stop: true} | {listen: true} |
//   {forget: true} | {hold: boolean}, true: what comes is dropped.
// Out: {frame: ArrayBuffer, id} | {stopped: "asked"|"limit", id}, of the recording that was started with this id |
//   {voice: true}, once `listen` has detected speech | {peak: 0..1}, of the samples of the last quarter second: a sign of life.

import { Preroll, VoiceOnset } from "./onset.js";
import { Framer, Resampler, SAMPLE_RATE_HZ } from "./pcm.js";

const SIGNS_PER_S = 4;
const PREROLL_SAMPLES = 1.5 * SAMPLE_RATE_HZ; // a soft voice is detected a second after its beginning

class PcmCapture extends AudioWorkletProcessor {
  #framer = null;
  #id = 0; // of the recording
  #resampler = null;
  #preroll = null; // while listening, and after speech was detected, until the recording begins
  #onset = null;
  #isHeld = false;
  #peak = 0;
  #counted = 0; // samples since the last sign of life

  constructor() {
    super();
    this.port.onmessage = ({ data }) => {
      if (data.flush) this.#flush();
      else if (data.stop) this.#stop("asked");
      else if (data.listen) this.#listen();
      else if (data.forget) this.#preroll = this.#onset = null;
      else if (data.hold !== undefined) this.#isHeld = data.hold;
      else this.#start(data);
    };
  }

  #listen() {
    this.#preroll = new Preroll(PREROLL_SAMPLES);
    this.#onset = new VoiceOnset();
    this.#resampler = newResampler();
  }

  /** Buffered audio from before the detected speech comes first. Without detected speech there is none. */
  #start({ start: limit, id, frameSamples }) {
    this.#id = id;
    const held = this.#preroll && !this.#onset ? this.#preroll.take() : null;
    this.#preroll = this.#onset = null;
    this.#framer = new Framer(limit, frameSamples);
    if (held) held.forEach((block) => this.#record(block));
    else this.#resampler = newResampler();
  }

  #post(frame) {
    this.port.postMessage({ frame: frame.buffer, id: this.#id }, [frame.buffer]);
  }

  #flush() {
    const rest = this.#framer?.flush();
    if (rest) this.#post(rest);
  }

  #stop(reason) {
    if (!this.#framer) return; // the limit was reached first
    this.#flush();
    this.#framer = null;
    this.port.postMessage({ stopped: reason, id: this.#id });
  }

  process([[block]]) {
    if (block) this.#giveSign(block);
    if (!block || this.#isHeld || !(this.#framer || this.#preroll)) return true;
    const samples = this.#resampler ? this.#resampler.push(block) : block;
    if (this.#framer) this.#record(samples);
    else this.#hear(samples);
    return true;
  }

  #giveSign(block) {
    for (const sample of block) this.#peak = Math.max(this.#peak, Math.abs(sample));
    this.#counted += block.length;
    if (this.#counted * SIGNS_PER_S < sampleRate) return;
    this.port.postMessage({ peak: this.#peak });
    this.#peak = this.#counted = 0;
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
