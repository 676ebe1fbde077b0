// The microphone: opens it, meters it, and turns it into PCM frames.

import { SAMPLE_RATE_HZ } from "./pcm.js";
import { WaitedTooLong, within } from "./waits.js";
import { Watch } from "./watch.js";

const ALLOW_MS = 60_000; // a person has to decide
const FETCH_MS = 15_000;
const START_MS = 5_000; // Firefox never starts where there is no sound output
const LIST_MS = 5_000;
const LATE_S = 2;

const CODES = {
  NotAllowedError: "permission_denied",
  SecurityError: "permission_denied",
  NotFoundError: "no_microphone",
  OverconstrainedError: "no_microphone",
  NotReadableError: "microphone_busy",
  AbortError: "microphone_busy",
};

/** Why there is no microphone; `code` names the text that tells people what to do. */
export class MicrophoneError extends Error {
  /** @param {string} code @param {unknown} [cause] */
  constructor(code, cause) {
    super(code, { cause });
    this.code = code;
  }
}

/**
 * @typedef {object} Sink  where frames go
 * @property {(pcm: ArrayBuffer) => void} frame
 * @property {(reason: "asked"|"limit") => void} stopped  after the last frame
 */

export class Recorder {
  #stream = null;
  #node = null;
  #sink = null;
  #id = 0; // of the recording
  #whenStopped = null;
  #stopping = null;
  #watch = null;
  #hasTold = false; // of the trouble that the recording waits for
  #onVoice = () => {};
  /** @type {AudioContext|null} */ context = null;
  /** @type {AnalyserNode|null} */ analyser = null;
  /** @type {(code: "unplugged") => void} the microphone is gone, and closed */ onLost = () => {};
  /** @type {(code: Trouble) => void} the recording waits until the microphone works again */ onTrouble = () => {};
  /** @type {() => void} it works again, and the recording goes on */ onWell = () => {};

  /** @param {{workletUrl: string, constraints: MediaTrackConstraints, frameSamples?: number}} options */
  constructor({ workletUrl, constraints, frameSamples }) {
    this.workletUrl = workletUrl;
    this.constraints = constraints;
    this.frameSamples = frameSamples;
  }

  get isOpen() {
    return this.#stream !== null;
  }

  get isRecording() {
    return this.#sink !== null;
  }

  /** @returns {Trouble|null} what is wrong with the open microphone, see health.js */
  get trouble() {
    return this.#watch?.trouble ?? null;
  }

  /** Whether any sound came lately, see health.js. */
  get hasSound() {
    return this.#watch?.hasSound ?? false;
  }

  /** The device in use, "" if there is none. */
  get deviceId() {
    return this.#stream?.getAudioTracks()[0].getSettings().deviceId ?? "";
  }

  /**
   * Needs a user gesture. An earlier microphone is closed first.
   * @param {string} [deviceId]  the preferred device; if it is gone, another is used
   * @throws {MicrophoneError}
   */
  async open(deviceId) {
    if (!isSecureContext) throw new MicrophoneError("insecure");
    if (!navigator.mediaDevices?.getUserMedia || !globalThis.AudioWorkletNode) throw new MicrophoneError("unsupported");
    this.close();
    const audio = { channelCount: 1, ...this.constraints, ...(deviceId && { deviceId: { ideal: deviceId } }) };
    try {
      this.#stream = await allowed(navigator.mediaDevices.getUserMedia({ audio }));
      await this.#connect();
    } catch (error) {
      this.close();
      throw error instanceof MicrophoneError ? error : new MicrophoneError(CODES[error.name] ?? "microphone_busy", error);
    }
  }

  /** At the rate of the device: at 16 kHz Firefox's own conversion wanders in time. The worklet converts. */
  async #connect() {
    const stream = this.#stream;
    const context = new AudioContext();
    this.context = context;
    const source = context.createMediaStreamSource(stream);
    await inTime(context.audioWorklet.addModule(this.workletUrl), FETCH_MS, "not_loaded");
    this.#node = new AudioWorkletNode(context, "pcm-capture", { channelCount: 1, channelCountMode: "explicit" });
    this.#node.port.onmessage = ({ data }) => this.#receive(data);
    this.analyser = new AnalyserNode(context, { fftSize: 1024 });
    source.connect(this.analyser);
    // The node writes silence; the connection is needed for browsers to run it.
    source.connect(this.#node).connect(context.destination);
    await inTime(context.resume(), START_MS, "sound_off");
    this.#watch = new Watch(stream.getAudioTracks()[0], context, { changed: (trouble) => this.#changed(trouble) });
  }

  #receive({ frame, peak, stopped, voice, id }) {
    if (peak !== undefined) this.#watch?.came(peak);
    else if (voice) this.#onVoice();
    else if (id !== this.#id) return; // a suspended context answers late, when another recording may have begun
    else if (frame) this.#sink?.frame(frame);
    else this.#stopped(stopped);
  }

  /** Nothing is recorded while something is wrong: the time of an answer does not pass, and no silence is sent. */
  #changed(trouble) {
    if (trouble === "unplugged") return this.#lose(trouble);
    this.#node.port.postMessage({ hold: trouble === "muted" }); // in other trouble no sample comes
    if (trouble && this.isRecording) {
      this.#hasTold = true;
      this.onTrouble(trouble);
    } else if (!trouble && this.#hasTold) {
      this.#hasTold = false;
      this.onWell();
    }
  }

  #stopped(reason) {
    const sink = this.#sink;
    this.#sink = null;
    sink?.stopped(reason);
    this.#whenStopped?.();
  }

  async #lose(code) {
    await this.stop();
    this.close();
    this.onLost(code);
  }

  /** @param {number} limit  samples; the recording stops by itself exactly there @param {Sink} sink */
  start(limit, sink) {
    this.#sink = sink;
    this.#node.port.postMessage({ start: limit, id: ++this.#id, frameSamples: this.frameSamples });
    if (this.trouble) this.#changed(this.trouble);
  }

  /**
   * Waits for a voice while the page itself is speaking and no recording runs. The next recording begins just
   * before the voice, so none of it is lost. Audio without a following recording is dropped.
   * @param {() => void} onVoice
   */
  listen(onVoice) {
    this.#onVoice = onVoice;
    if (!this.isRecording) this.#node?.port.postMessage({ listen: true });
  }

  /** Stops waiting, and drops the speech that was buffered. */
  forget() {
    this.#onVoice = () => {};
    this.#node?.port.postMessage({ forget: true });
  }

  /** Sends the incomplete frame: the page may be closed at any moment. */
  flush() {
    if (this.isRecording) this.#node.port.postMessage({ flush: true });
  }

  /** Resolves when the sink has received the last frame. */
  async stop() {
    if (!this.isRecording) return;
    this.#stopping ??= this.#stop();
    await this.#stopping;
    this.#stopping = null;
  }

  async #stop() {
    const stopped = new Promise((resolve) => (this.#whenStopped = resolve));
    this.#node.port.postMessage({ stop: true });
    // A suspended context may not answer; then at most 250 ms were not sent yet.
    const timer = setTimeout(() => this.#stopped("asked"), 1000);
    await stopped;
    clearTimeout(timer);
  }

  /**
   * @param {number} seconds
   * @returns {Promise<ArrayBuffer[]>} frames of a short sample for the caller alone
   */
  sample(seconds) {
    const frames = [];
    const timer = setTimeout(() => this.stop(), (seconds + LATE_S) * 1000);
    return new Promise((resolve) =>
      this.start(seconds * SAMPLE_RATE_HZ, { frame: (pcm) => frames.push(pcm), stopped: () => resolve(frames) }),
    ).finally(() => clearTimeout(timer));
  }

  close() {
    if (this.isRecording) this.#stopped("asked");
    this.#watch?.end();
    this.#stream?.getTracks().forEach((track) => track.stop());
    this.context?.close();
    this.#hasTold = false;
    this.#stream = this.#node = this.#watch = this.context = this.analyser = null;
  }
}

/** @returns {Promise<MediaDeviceInfo[]>} with names only after the microphone was allowed */
export async function microphones() {
  const devices = await within(navigator.mediaDevices.enumerateDevices(), LIST_MS).catch(() => []);
  return devices.filter(({ kind, deviceId }) => kind === "audioinput" && deviceId);
}

/** @param {Promise<MediaStream>} asked  a stream that is allowed too late is closed again */
async function allowed(asked) {
  try {
    return await inTime(asked, ALLOW_MS, "not_allowed_yet");
  } catch (error) {
    if (error.code === "not_allowed_yet") asked.then((late) => late.getTracks().forEach((track) => track.stop()), () => {});
    throw error;
  }
}

/** @param {Promise<T>} promise @param {number} ms @param {string} code  of the MicrophoneError after that */
async function inTime(promise, ms, code) {
  try {
    return await within(promise, ms);
  } catch (error) {
    throw error instanceof WaitedTooLong ? new MicrophoneError(code, error) : error;
  }
}
