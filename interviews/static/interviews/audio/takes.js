// The candidate's recordings: from the microphone to this device's store, and from there to the server.

import { Recorder } from "../../voice/recorder.js";
import { TurnDetector } from "../../voice/turns.js";
import { forgettable, unstored } from "../state.js";
import { Store } from "./store.js";
import { showStoreTrouble } from "../screens/surroundings.js";
import { Take } from "./take.js";
import { Uploader } from "./uploader.js";
import { BYTES_PER_S } from "./wire.js";

export class Takes {
  /** @type {Take|null} */ current = null; // the recording in progress
  #turns = null; // while this page tells by itself when the current turn is over
  #resumes = new Map(); // recording id: the server's latest `resume`
  #dropping = new Set(); // abandoned recordings whose last frame is not stored yet
  #storedSince = new Map(); // recording id: since when this page knows that it is stored

  /** @param {Room} room @param {Config} config */
  constructor(room, config) {
    this.room = room;
    this.recorder = new Recorder({
      workletUrl: config.worklet_url,
      constraints: { echoCancellation: true, noiseSuppression: true, autoGainControl: true, ...config.microphone },
    });
    this.store = new Store(config.store, { keepAudio: Boolean(config.keep_audio) });
    this.store.onTrouble = showStoreTrouble;
    this.keptMs = 1000 * (config.audio_kept_s ?? 0);
    this.uploader = new Uploader(this.store, {
      send: (message) => room.connection.send(message),
      sendBytes: (frame) => room.connection.sendBytes(frame),
      isOpen: (recording) => (this.#row(recording)?.status ?? "open") === "open",
      toOffer: () => this.#answersToOffer(),
      written: (answer) => room.commands.writtenAnswer(answer),
      progressed: () => room.progressed(),
    });
  }

  get bytes() {
    return this.current?.bytes ?? 0;
  }

  /** Whether the server's turn detection is up to date, and not about audio from before the connection was lost. */
  get isServerListening() {
    return this.bytes - this.uploader.ackedBytes < 2 * BYTES_PER_S;
  }

  async openStore() {
    await this.store.open();
    for (const { id, bytes } of this.store.recordings) if (bytes !== null) this.room.local.ended.add(id);
  }

  /** What the server said before the connection was lost says nothing any more. */
  forgetResumes() {
    this.#resumes.clear();
  }

  /** @param {object} message  the server's `resume` */
  resumed(message) {
    this.#turns = null; // the server listens again
    this.#resumes.set(message.recording, message);
    if (this.current?.recording === message.recording) this.current.limit = message.limit_bytes ?? Infinity;
    this.uploader.resumed(message);
  }

  /** Applies the server's new state. @param {{isWhole: boolean}} options  see forgettable */
  settle({ isWhole }) {
    this.#settleCurrent();
    this.#forgetStored({ isWhole });
  }

  /** Ends the take once the server has moved on from its recording. */
  #settleCurrent() {
    if (!this.current) return;
    // A standby set that took over may not know a follow-up question of the last second.
    const { status, recording } = this.room.answer(this.current.answer) ?? {};
    const isMine = recording?.id === this.current.recording;
    if (isMine && status === "recording") this.current.isConfirmed = true;
    else if (this.current.isConfirmed) this.#drop();
  }

  async #drop() {
    const take = this.current;
    this.current = this.#turns = this.room.local.live = null;
    this.#dropping.add(take.recording);
    await this.recorder.stop();
    await take.kept; // a frame stored after the recording was removed would stay on this device
    this.#dropping.delete(take.recording);
    this.#forgetStored({ isWhole: false });
  }

  #forgetStored({ isWhole }) {
    const held = this.store.recordings.map(({ id }) => id);
    const forgotten = forgettable(this.room.state, held, { isWhole });
    for (const id of this.#storedSince.keys()) if (!forgotten.includes(id)) this.#storedSince.delete(id); // wanted again
    for (const id of forgotten) {
      if (id !== this.current?.recording && !this.#dropping.has(id) && !this.#isKept(id)) this.store.remove(id);
    }
  }

  /** Whether a stored recording may be asked for again, by a standby set that does not have it yet. */
  #isKept(id) {
    if (!this.keptMs || this.#row(id)?.status !== "stored") return false;
    const now = performance.now();
    if (!this.#storedSince.has(id)) {
      this.#storedSince.set(id, now);
      setTimeout(() => this.#forgetStored({ isWhole: false }), this.keptMs);
    }
    return now - this.#storedSince.get(id) < this.keptMs;
  }

  /** Answers that may have unsent audio here, and the current one, to learn its offset. */
  #answersToOffer() {
    return unstored(this.room.state)
      .filter(({ status, recording }) => status === "recording" || this.store.has(recording.id))
      .map(({ id }) => id);
  }

  /** Continues an interrupted recording, if the server has sent its offset. @param {Answer} answer */
  async goOn({ recording }) {
    const known = this.#resumes.get(recording.id);
    if (known) await this.record(known);
  }

  /** Starts recording from the server's offset. @param {object} message  its `resume` */
  async record({ answer, recording, offset, limit_bytes: limit }) {
    const start = await this.store.end(recording, offset);
    await this.store.begin(recording, answer);
    if (this.current?.recording === recording) return; // a repeated `resume`
    const take = new Take({ answer, recording, bytes: start, limit: limit ?? Infinity });
    take.onFrame = (at, pcm) => {
      this.#hearTurns(take, pcm);
      return this.#keep(recording, at, pcm);
    };
    take.onEnd = (isLimit) => this.#ended(isLimit);
    take.isConfirmed = this.#row(recording) !== undefined;
    this.current = take;
    this.room.local.live = { answer, recording };
    this.room.local.starting = null;
    take.start(this.recorder);
    this.room.render();
  }

  /** Continues the take after the microphone is open again. @returns {boolean} whether there is one */
  continueCurrent() {
    this.current?.start(this.recorder);
    return this.current !== null;
  }

  finish() {
    this.current?.finish(this.recorder);
  }

  /**
   * The server asks this page to tell by itself when the turn is over.
   * @param {{answer: string, end_silence_ms: number, is_in_turn: boolean}} message
   */
  hear({ answer, end_silence_ms: endSilenceMs, is_in_turn: isInTurn }) {
    if (this.current?.answer !== answer) return;
    const startS = this.current.bytes / BYTES_PER_S;
    this.#turns ??= new TurnDetector({ endSilenceMs, startS, isInTurn });
    this.room.connection.send({ type: "hearing", answer });
  }

  #hearTurns({ answer }, pcm) {
    for (const event of this.#turns?.push(new Int16Array(pcm)) ?? []) this.room.stage.tell({ ...event, answer, isOwn: true });
  }

  async #keep(recording, at, pcm) {
    await this.store.append(recording, at, pcm);
    this.uploader.wake();
    this.room.recorded();
  }

  async #ended(isLimit) {
    const { recording, bytes } = this.current;
    await this.store.finish(recording, bytes);
    this.room.local.ended.add(recording);
    this.uploader.wake();
    this.room.recordingEnded(isLimit);
  }

  /** Stops recording on this page. */
  async close() {
    await this.recorder.stop();
    this.recorder.close();
    this.current = this.#turns = this.room.local.live = this.room.local.starting = null;
  }

  /** @param {Answer} answer @returns {Promise<number|null>} bytes stored here or on the server; null if unknown */
  async safeBytes({ recording }) {
    const known = this.#resumes.get(recording.id);
    return known ? this.store.end(recording.id, known.offset) : null;
  }

  #row(id) {
    return this.room.state?.answers.find(({ recording }) => recording?.id === id)?.recording;
  }
}
