// Sends what the store holds, one recording at a time, from the byte the server asks for.

import { encodeFrame } from "./wire.js";

/** Unacknowledged bytes allowed on the way: 8 s of audio. It bounds the socket's buffer too. */
const WINDOW_BYTES = 256_000;
const REWIND_PAUSE_MS = 1_000; // every frame on the way at a gap reports the same gap

/**
 * @typedef {object} Outlet
 * @property {(message: object) => void} send
 * @property {(frame: ArrayBuffer) => void} sendBytes
 * @property {(recording: string) => boolean} isOpen  the server still takes audio for it
 * @property {() => void} progressed
 */

export class Uploader {
  #active = null;
  #queue = [];
  #isPumping = false;
  #isStale = false; // something happened while pumping

  /** @param {Store} store @param {Outlet} outlet */
  constructor(store, outlet) {
    this.store = store;
    this.outlet = outlet;
  }

  /** Bytes the server is known to hold of the recording being sent. */
  get ackedBytes() {
    return this.#active?.acked ?? 0;
  }

  /** How much of a finished recording the server holds: 0..1, 1 when there is nothing to send. */
  get share() {
    const total = this.#active && this.store.finishedBytes(this.#active.recording);
    return total ? this.#active.acked / total : 1;
  }

  /** @param {string[]} answers  to be offered to the server one after the other, the current one last */
  catchUp(answers) {
    this.#active = null;
    this.#queue = [...answers];
    this.#next();
  }

  disconnected() {
    this.#active = null;
    this.#queue = [];
  }

  #next() {
    if (!this.#queue.length) return;
    this.#active = null;
    this.outlet.send({ type: "select", answer: this.#queue.shift() });
  }

  /** The server's `resume`. */
  resumed({ answer, recording, offset, limit_bytes: limit }) {
    this.#active = {
      answer,
      recording,
      limit: limit ?? Infinity,
      cursor: offset,
      acked: offset,
      rewoundTo: -1,
      rewoundAt: 0,
      hasFinished: false,
    };
    this.wake();
  }

  acked(offset) {
    const active = this.#active;
    if (!active) return;
    active.acked = Math.max(active.acked, Math.min(offset, active.cursor));
    active.rewoundTo = -1;
    this.outlet.progressed();
    this.wake();
  }

  /** The server lacks the bytes from `offset` on, though later ones have been sent. */
  rewind(offset) {
    const active = this.#active;
    if (!active) return;
    const now = performance.now();
    if (active.rewoundTo === offset && now - active.rewoundAt < REWIND_PAUSE_MS) return;
    Object.assign(active, { cursor: offset, acked: offset, rewoundTo: offset, rewoundAt: now, hasFinished: false });
    this.wake();
  }

  /** The answer to a `finish_answer` that came too early: always acted on, unlike one gap reported many times. */
  missing(offset) {
    if (this.#active) this.#active.rewoundTo = -1;
    this.rewind(offset);
  }

  /** Call when the store or the server's state has changed. */
  async wake() {
    this.#isStale = true;
    if (this.#isPumping) return;
    this.#isPumping = true;
    try {
      while (this.#isStale) {
        this.#isStale = false;
        await this.#send();
      }
    } finally {
      this.#isPumping = false;
    }
  }

  async #send() {
    const active = this.#active;
    while (active && active.cursor - active.acked < WINDOW_BYTES) {
      const at = active.cursor;
      const pcm = at < active.limit ? await this.store.read(active.recording, at) : null;
      if (active !== this.#active) return;
      if (active.cursor !== at) continue; // rewound meanwhile
      if (!pcm) return this.#sentAll(active);
      const sent = pcm.slice(0, active.limit - at);
      this.outlet.sendBytes(encodeFrame(at, sent));
      active.cursor += sent.byteLength;
    }
  }

  #sentAll(active) {
    const total = this.store.finishedBytes(active.recording);
    if (!this.outlet.isOpen(active.recording)) {
      if (active.acked >= active.cursor) this.#next();
    } else if (total !== null && !active.hasFinished) {
      active.hasFinished = true;
      // Less than the total only when neither this device nor the server has the rest: then what there is counts.
      this.outlet.send({ type: "finish_answer", answer: active.answer, bytes: Math.min(total, active.cursor) });
    }
  }
}
