// Sends the stored audio, one recording at a time, from the byte that the server asks for.

import { BYTES_PER_S, encodeFrame, FRAME_BYTES, FRAME_MS, joined } from "./wire.js";

/**
 * Limit of sent but unacknowledged bytes: 2 s of audio. After a break, this limits a page to 2 s of audio for each
 * round trip, and so the load of many reconnecting pages on the server.
 */
const WINDOW_BYTES = 64_000;
const REWIND_PAUSE_MS = 1_000; // every frame in transit reports the same gap
const SLOW_DOWN_MS = 1_000; // the server's buffer is full: it moves audio to storage meanwhile
const LONGEST_FRAME_MS = 2_000; // the window
const COMPLETE_PAUSE_MS = 500; // before completing the answer again; doubles
/** After a frame over the limit, the server accepts none until it has read its row again. */
export const OVER_LIMIT_PAUSE_MS = 1_000;
const MAX_COMPLETE_PAUSE_MS = 8_000;

/**
 * @typedef {object} Outlet
 * @property {(message: object) => void} send
 * @property {(frame: ArrayBuffer) => void} sendBytes
 * @property {(recording: string) => boolean} isOpen  the server still accepts audio for it
 * @property {() => string[]} toOffer  answers of which the server may lack audio, the current one last
 * @property {(answer: string) => object|null} written  the typed text that completes this answer instead of its audio
 * @property {() => void} progressed
 */

export class Uploader {
  #active = null;
  #expected = null; // answer whose `resume` is expected; no frame may be sent before it
  #delivered = new Set(); // answers that the server has completely, as far as this connection knows
  #isPumping = false;
  #isStale = false; // something changed while pumping
  #frameMs = FRAME_MS; // as the server asks

  /** @param {Store} store @param {Outlet} outlet */
  constructor(store, outlet) {
    this.store = store;
    this.outlet = outlet;
  }

  /** Acknowledged bytes of the recording being sent. */
  get ackedBytes() {
    return this.#active?.acked ?? 0;
  }

  /** The acknowledged share of a finished recording: 0..1, 1 when there is nothing to send. */
  get share() {
    const total = this.#active && this.store.finishedBytes(this.#active.recording);
    return total ? this.#active.acked / total : 1;
  }

  /** Offers the server all audio it may lack, one recording after the other. */
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
   * Expects the server's `resume` for this answer. Until then no frame is sent, because it could be stored in the
   * wrong recording. An interrupted recording is offered again later.
   * @param {string} answer
   */
  expect(answer) {
    this.#active = null;
    this.#expected = answer;
    this.#delivered.delete(answer);
  }

  /** Handles the server's `resume`. */
  resumed({ answer, recording, offset, limit_bytes: limit, frame_ms: frameMs }) {
    if (this.#expected !== null && this.#expected !== answer) return; // a later request replaced it
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
      sentAtMs: -Infinity, // when the last frame was sent
      isGathering: false,
    };
    this.useFrames(frameMs);
  }

  /**
   * Sends frames of this length from now on: longer ones while the server has much to do.
   * @param {number} [ms]  a server that does not know of it names none
   */
  useFrames(ms) {
    this.#frameMs = Math.min(LONGEST_FRAME_MS, Math.max(FRAME_MS, Number(ms) || FRAME_MS));
    this.wake();
  }

  /** Sends what is stored without waiting for a whole frame: the page may be closed at any moment. */
  hurry() {
    if (this.#active) this.#active.sentAtMs = -Infinity;
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

  /** Sends again from `offset`, where the server reported a gap. */
  rewind(offset) {
    const active = this.#active;
    if (!active) return;
    const now = performance.now();
    if (active.rewoundTo === offset && now - active.rewoundAt < REWIND_PAUSE_MS) return;
    Object.assign(active, { cursor: offset, acked: offset, rewoundTo: offset, rewoundAt: now, isCompleted: false });
    this.wake();
  }

  /** Sends again from `offset` after a pause, because the server's buffer is full. */
  slowDown(offset) {
    const active = this.#active;
    if (!active || active.isHeldBack) return;
    Object.assign(active, { cursor: offset, acked: offset, isCompleted: false, isHeldBack: true });
    setTimeout(() => {
      active.isHeldBack = false;
      this.wake();
    }, SLOW_DOWN_MS);
  }

  /** Handles a completion that came too early. Unlike a repeated gap report, it is never ignored. */
  missing(offset) {
    if (!this.#active) return;
    this.#active.rewoundTo = -1;
    this.#pause(this.#active);
    this.rewind(offset);
  }

  /** Delays the next completion, not the missing audio, so that completions do not loop. */
  #pause(active) {
    if (active.isPausing) return;
    active.isPausing = true;
    const pauseMs = Math.min(MAX_COMPLETE_PAUSE_MS, COMPLETE_PAUSE_MS * 2 ** active.repeats++);
    setTimeout(() => {
      active.isPausing = false;
      this.wake();
    }, pauseMs);
  }

  /** Completes the answer, perhaps again. The command is sent after all audio. */
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
      const pcm = at < active.limit ? await this.#frameAt(active.recording, at) : null;
      if (active !== this.#active) return;
      if (active.cursor !== at || active.isHeldBack) continue; // rewound in the meantime
      if (!pcm) return this.#sentAll(active);
      const sent = pcm.slice(0, active.limit - at);
      if (this.#waitsForMore(active, sent)) return;
      this.outlet.sendBytes(encodeFrame(at, sent));
      active.cursor += sent.byteLength;
      active.sentAtMs = performance.now();
    }
  }

  /** Joins stored audio to a frame of at most the length that the server asks for. */
  async #frameAt(recording, at) {
    const first = await this.#audioAt(recording, at);
    if (!first) return null;
    const pieces = [first];
    let bytes = first.byteLength;
    while (!this.#isWhole(bytes)) {
      const more = await this.store.read(recording, at + bytes);
      if (!more) break;
      pieces.push(more);
      bytes += more.byteLength;
    }
    return joined(pieces);
  }

  /** Whether no more stored audio fits into a frame of so many bytes. */
  #isWhole(bytes) {
    return bytes + FRAME_BYTES > (this.#frameMs * BYTES_PER_S) / 1000;
  }

  /** Whether the frame may become longer. Its beginning never waits for more than one frame. */
  #waitsForMore(active, { byteLength }) {
    const isLast = active.cursor + byteLength >= active.limit || this.store.finishedBytes(active.recording) !== null;
    const leftMs = active.sentAtMs + this.#frameMs + FRAME_MS - performance.now();
    if (isLast || leftMs <= 0 || this.#isWhole(byteLength)) return false;
    if (!active.isGathering) setTimeout(() => this.#gathered(active), leftMs);
    active.isGathering = true;
    return true;
  }

  #gathered(active) {
    active.isGathering = false;
    this.wake();
  }

  /** Fills a gap in the stored audio with silence, so that later audio keeps its offset. */
  async #audioAt(recording, at) {
    const pcm = await this.store.read(recording, at);
    if (pcm) return pcm;
    const next = await this.store.nextOffset(recording, at);
    if (next === at) return this.store.read(recording, at); // recorded in the meantime
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
    // Less than the total only if neither this device nor the server has the end: then complete with what exists.
    return total === null ? null : { type: "finish_answer", answer, bytes: Math.min(total, cursor) };
  }
}
