// Sends what the store holds, one recording at a time, from the byte the server asks for.

import { encodeFrame, FRAME_BYTES } from "./wire.js";

/**
 * Unacknowledged bytes allowed on the way: 2 s of audio. After a break it bounds how fast a page catches up, to
 * 2 s of audio for each round trip, and what many pages together put on a server at once.
 */
const WINDOW_BYTES = 64_000;
const REWIND_PAUSE_MS = 1_000; // every frame on the way at a gap reports the same gap
const SLOW_DOWN_MS = 1_000; // the server holds as much as it may: it makes room meanwhile
const COMPLETE_PAUSE_MS = 500; // before the answer is completed again; doubles
/** No frame is accepted beyond the limit before the server has looked at its row again. */
export const OVER_LIMIT_PAUSE_MS = 1_000;
const MAX_COMPLETE_PAUSE_MS = 8_000;

/**
 * @typedef {object} Outlet
 * @property {(message: object) => void} send
 * @property {(frame: ArrayBuffer) => void} sendBytes
 * @property {(recording: string) => boolean} isOpen  the server still takes audio for it
 * @property {() => string[]} toOffer  answers of which the server may lack audio, the current one last
 * @property {(answer: string) => object|null} written  the text that completes this answer, not its audio's end
 * @property {() => void} progressed
 */

export class Uploader {
  #active = null;
  #expected = null; // answer whose `resume` is on its way; until then no frame may go out
  #delivered = new Set(); // answers the server has all of, as far as this connection knows
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

  /** Offers the server what it may lack, one recording after the other. */
  catchUp() {
    this.disconnected();
    this.#next();
  }

  disconnected() {
    this.#active = this.#expected = null;
    this.#delivered.clear();
  }

  #next() {
    const answer = this.outlet.toOffer().find((id) => !this.#delivered.has(id));
    if (answer === undefined) return;
    this.expect(answer);
    this.outlet.send({ type: "select", answer });
  }

  /**
   * The server is being asked to take this answer's audio next. Frames sent from here on could land in either
   * recording, so none is sent until it says which. What this interrupts is offered again later.
   * @param {string} answer
   */
  expect(answer) {
    this.#active = null;
    this.#expected = answer;
    this.#delivered.delete(answer);
  }

  /** The server's `resume`. */
  resumed({ answer, recording, offset, limit_bytes: limit }) {
    if (this.#expected !== null && this.#expected !== answer) return; // overtaken by a later request
    this.#expected = null;
    this.#active = {
      answer,
      recording,
      limit: limit ?? Infinity,
      cursor: offset,
      acked: offset,
      rewoundTo: -1,
      rewoundAt: 0,
      isCompleted: false,
      isHeldBack: false,
      isPausing: false,
      repeats: 0,
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
    Object.assign(active, { cursor: offset, acked: offset, rewoundTo: offset, rewoundAt: now, isCompleted: false });
    this.wake();
  }

  /** The server holds as much as it may for now: the frames that were on the way go again after a pause. */
  slowDown(offset) {
    const active = this.#active;
    if (!active || active.isHeldBack) return;
    Object.assign(active, { cursor: offset, acked: offset, isCompleted: false, isHeldBack: true });
    setTimeout(() => {
      active.isHeldBack = false;
      this.wake();
    }, SLOW_DOWN_MS);
  }

  /** The answer to a completion that came too early: always acted on, unlike one gap reported many times. */
  missing(offset) {
    if (!this.#active) return;
    this.#active.rewoundTo = -1;
    this.#pause(this.#active);
    this.rewind(offset);
  }

  /** What is missing goes out at once; only then, and not in a tight loop, is the answer completed again. */
  #pause(active) {
    if (active.isPausing) return;
    active.isPausing = true;
    const pauseMs = Math.min(MAX_COMPLETE_PAUSE_MS, COMPLETE_PAUSE_MS * 2 ** active.repeats++);
    setTimeout(() => {
      active.isPausing = false;
      this.wake();
    }, pauseMs);
  }

  /** The candidate completes the answer, perhaps again: said to the server once all its audio has been sent. */
  complete() {
    if (this.#active) this.#active.isCompleted = false;
    this.wake();
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
    while (active && !active.isHeldBack && active.cursor - active.acked < WINDOW_BYTES) {
      const at = active.cursor;
      const pcm = at < active.limit ? await this.#audioAt(active.recording, at) : null;
      if (active !== this.#active) return;
      if (active.cursor !== at || active.isHeldBack) continue; // rewound meanwhile
      if (!pcm) return this.#sentAll(active);
      const sent = pcm.slice(0, active.limit - at);
      this.outlet.sendBytes(encodeFrame(at, sent));
      active.cursor += sent.byteLength;
    }
  }

  /** What is neither here nor there becomes silence, so that what comes after it arrives in its place. */
  async #audioAt(recording, at) {
    const pcm = await this.store.read(recording, at);
    if (pcm) return pcm;
    const next = await this.store.nextOffset(recording, at);
    if (next === at) return this.store.read(recording, at); // recorded meanwhile
    return next === null ? null : new ArrayBuffer(Math.min(next - at, FRAME_BYTES));
  }

  #sentAll(active) {
    if (!this.outlet.isOpen(active.recording)) {
      if (active.acked < active.cursor) return;
      this.#delivered.add(active.answer);
      this.#next();
    } else if (!active.isCompleted && !active.isPausing) {
      const completion = this.#completion(active);
      active.isCompleted = completion !== null;
      if (completion) this.outlet.send(completion);
    }
  }

  #completion({ answer, recording, cursor }) {
    const written = this.outlet.written(answer);
    if (written) return { ...written, bytes: cursor };
    const total = this.store.finishedBytes(recording);
    // Less than the total only when neither this device nor the server has the end: then what there is counts.
    return total === null ? null : { type: "finish_answer", answer, bytes: Math.min(total, cursor) };
  }
}
