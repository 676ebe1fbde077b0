// One recording in progress: counts its bytes, and continues at the same byte after a pause.

/** Pauses (a changed or unplugged microphone) and reloads continue the same take at the byte it had reached. */
export class Take {
  #isFinishing = false;
  #kept = Promise.resolve();
  /** Whether the server's state shows this recording. */
  isConfirmed = false;
  /** @type {(offset: number, pcm: ArrayBuffer) => Promise<void>} */ onFrame = async () => {};
  /** @type {(isLimit: boolean) => void} after the last frame has been stored */ onEnd = () => {};

  /** @param {{answer: string, recording: string, bytes: number, limit: number}} options  limit in bytes */
  constructor({ answer, recording, bytes, limit }) {
    this.answer = answer;
    this.recording = recording;
    this.bytes = bytes;
    this.limit = limit;
  }

  /** Resolves when every frame so far has been stored. */
  get kept() {
    return this.#kept;
  }

  /** @param {Recorder} recorder */
  start(recorder) {
    if (this.limit - this.bytes < 2) return this.#end(true); // not one sample more
    recorder.start((this.limit - this.bytes) / 2, {
      frame: (pcm) => this.#take(pcm),
      stopped: (reason) => this.#stopped(reason, recorder),
    });
  }

  /** At a limit that was raised meanwhile the recording goes on. */
  #stopped(reason, recorder) {
    if (this.#isFinishing) this.#end(reason === "limit");
    else if (reason === "limit") this.start(recorder);
  }

  /** Ends the recording. @param {Recorder} recorder */
  finish(recorder) {
    if (this.#isFinishing) return;
    this.#isFinishing = true;
    if (recorder.isRecording) recorder.stop();
    else this.#end(false);
  }

  #take(pcm) {
    const at = this.bytes;
    this.bytes += pcm.byteLength;
    this.#kept = Promise.all([this.#kept, this.onFrame(at, pcm)]);
  }

  async #end(isLimit) {
    this.#isFinishing = true;
    await this.#kept;
    this.onEnd(isLimit);
  }
}
