// Recorded audio, kept on this device until the server has it in object storage.
//
// IndexedDB database "interview-audio":
//   frames      key [recording, offset]: {recording, offset, pcm: ArrayBuffer}   offset in bytes
//   recordings  key id: {id, answer, session, bytes, created}   bytes: null until the recording is finished
// Debug switch: with `keep_audio: true` in room-config nothing is deleted, so that a test can compare the recorded
// audio with the received audio. Only the test settings may set it.

import { within } from "../../voice/waits.js";

export const DATABASE = "interview-audio";
const OPEN_MS = 5_000; // Safari leaves the request open at times
const WRITE_MS = 10_000;
const MAX_AGE_MS = 7 * 24 * 3600 * 1000; // a shared computer must not keep a stranger's voice for longer

const resultOf = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
const committed = (transaction) =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onerror = transaction.onabort = () => reject(transaction.error);
  });

/** @returns {Promise<IDBDatabase>} */
function openDatabase() {
  const request = indexedDB.open(DATABASE, 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore("frames", { keyPath: ["recording", "offset"] });
    request.result.createObjectStore("recordings", { keyPath: "id" });
  };
  return resultOf(request);
}

const framesOf = (recording, from = 0, to = Infinity) => IDBKeyRange.bound([recording, from], [recording, to]);

export class Store {
  #database = null;
  #records = new Map();
  #unsaved = []; // frames not written to the database yet, or refused by it
  /** @type {() => void} */ onTrouble = () => {};

  /** @param {string} session @param {{keepAudio: boolean}} options */
  constructor(session, { keepAudio }) {
    this.session = session;
    this.keepAudio = keepAudio;
  }

  /** Reads the recordings of earlier visits and other tabs. Never fails: without a database, memory is used. */
  async open() {
    try {
      this.#database ??= await within(openDatabase(), OPEN_MS);
      const records = await resultOf(this.#database.transaction("recordings").objectStore("recordings").getAll());
      for (const record of records) this.#records.set(record.id, record);
      const isOld = ({ created }) => created < Date.now() - MAX_AGE_MS;
      if (!this.keepAudio) await Promise.all(records.filter(isOld).map(({ id }) => this.remove(id)));
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error) {
    console.warn("audio cannot be kept on this device:", error);
    this.onTrouble();
  }

  async #write(name, action) {
    const transaction = this.#database.transaction(name, "readwrite");
    action(transaction.objectStore(name));
    await within(committed(transaction), WRITE_MS);
  }

  /**
   * Recordings of this session on this device.
   * @returns {{id: string, answer: string, bytes: number|null}[]}
   */
  get recordings() {
    return [...this.#records.values()].filter(({ session }) => session === this.session);
  }

  has(recording) {
    return this.#records.has(recording);
  }

  /** Total bytes of a finished recording; null while it is being made. */
  finishedBytes(recording) {
    return this.#records.get(recording)?.bytes ?? null;
  }

  async #record(record) {
    this.#records.set(record.id, record);
    await this.#write("recordings", (store) => store.put(record)).catch((error) => this.#fail(error));
  }

  /** @param {string} recording @param {string} answer */
  async begin(recording, answer) {
    if (this.has(recording)) return;
    await this.#record({ id: recording, answer, session: this.session, bytes: null, created: Date.now() });
  }

  /** @param {string} recording @param {number} bytes */
  async finish(recording, bytes) {
    await this.#record({ ...this.#records.get(recording), bytes });
  }

  /** Resolves when the frame is in the database, or in memory because the write failed. */
  async append(recording, offset, pcm) {
    const frame = { recording, offset, pcm };
    this.#unsaved.push(frame); // at once, so that `read` never misses a frame that precedes saved ones
    try {
      await this.#write("frames", (store) => store.put(frame));
      this.#unsaved = this.#unsaved.filter((other) => other !== frame);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** @returns {Promise<ArrayBuffer|null>} the rest of the frame that holds byte `offset` */
  async read(recording, offset) {
    const frame = this.#unsavedAt(recording, offset) ?? (await this.#savedAt(recording, offset));
    return frame?.pcm.slice(offset - frame.offset) ?? null;
  }

  #unsavedAt(recording, offset) {
    return this.#unsaved.findLast((frame) => frame.recording === recording && holds(frame, offset));
  }

  async #savedAt(recording, offset) {
    const cursor = await this.#cursor("prev", recording, 0, offset);
    return cursor && holds(cursor.value, offset) ? cursor.value : null;
  }

  /** @returns {Promise<number|null>} the start of the first frame at or after `offset`; null if there is none */
  async nextOffset(recording, offset) {
    const later = this.#unsavedOf(recording).map((frame) => frame.offset).filter((at) => at >= offset);
    const saved = await this.#cursor("next", recording, offset);
    if (saved) later.push(saved.value.offset);
    return later.length ? Math.min(...later) : null;
  }

  /** @returns {Promise<number>} the end of the last stored byte of a recording, despite gaps; at least `from` */
  async end(recording, from) {
    const ends = this.#unsavedOf(recording).map(endOf);
    const saved = await this.#cursor("prev", recording);
    if (saved) ends.push(endOf(saved.value));
    return Math.max(from, ...ends);
  }

  #unsavedOf(recording) {
    return this.#unsaved.filter((frame) => frame.recording === recording);
  }

  /** @returns {Promise<IDBCursorWithValue|null>} at the first frame in that direction; offsets inclusive */
  async #cursor(direction, ...range) {
    if (!this.#database) return null;
    const frames = this.#database.transaction("frames").objectStore("frames");
    return resultOf(frames.openCursor(framesOf(...range), direction));
  }

  async remove(recording) {
    if (this.keepAudio) return;
    this.#records.delete(recording);
    this.#unsaved = this.#unsaved.filter((frame) => frame.recording !== recording);
    if (!this.#database) return;
    await this.#write("frames", (store) => store.delete(framesOf(recording)));
    await this.#write("recordings", (store) => store.delete(recording));
  }
}

const endOf = (frame) => frame.offset + frame.pcm.byteLength;
const holds = (frame, offset) => frame.offset <= offset && offset < endOf(frame);
