import assert from "node:assert/strict";
import { test } from "node:test";
import { Uploader } from "../../interviews/static/interviews/audio/uploader.js";

const FRAME = 8000;
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** A store with `total` bytes of each recording, in frames; `finished` names the complete ones. */
class Shelf {
  constructor(totals, finished = {}, from = 0) {
    Object.assign(this, { totals, finished, from });
  }
  async nextOffset(recording, offset) {
    if (offset >= this.totals[recording]) return null;
    return Math.max(offset, this.from);
  }
  async read(recording, offset) {
    if (offset < this.from) return null;
    const end = Math.min(this.totals[recording], (Math.floor(offset / FRAME) + 1) * FRAME);
    return offset < end ? new ArrayBuffer(end - offset) : null;
  }
  finishedBytes(recording) {
    return this.finished[recording] ?? null;
  }
}

function uploading(shelf, { closed = [], toOffer = [], written = () => null } = {}) {
  const sent = [];
  const uploader = new Uploader(shelf, {
    send: (message) => sent.push(message),
    sendBytes: (frame) => sent.push([Number(new DataView(frame).getBigUint64(0)), frame.byteLength - 8]),
    isOpen: (recording) => !closed.includes(recording),
    toOffer: () => toOffer,
    written,
    progressed: () => {},
  });
  return { uploader, sent, offsets: () => sent.filter(Array.isArray).map(([offset]) => offset) };
}

const resume = (offset, rest = {}) => ({ answer: "a", recording: "r", offset, limit_bytes: 1e9, ...rest });

test("sends from the server's byte, even in the middle of a frame", async () => {
  const { uploader, sent } = uploading(new Shelf({ r: 2 * FRAME }));
  await uploader.resumed(resume(6000));
  await settled();
  assert.deepEqual(sent, [[6000, 2000], [8000, 8000]]);
});

test("sends no more than the window ahead of the server", async () => {
  const { uploader, offsets } = uploading(new Shelf({ r: 100 * FRAME }));
  uploader.resumed(resume(0));
  await settled();
  assert.equal(offsets().length, 8);
  uploader.acked(3 * FRAME);
  await settled();
  assert.equal(offsets().length, 11);
});

test("server that holds enough for now is sent the same audio again, once, a second later", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { uploader, offsets } = uploading(new Shelf({ r: 4 * FRAME }));
  uploader.resumed(resume(0));
  await settled();
  uploader.acked(FRAME);
  for (let n = 0; n < 3; n++) uploader.slowDown(FRAME); // each frame in transit is refused
  uploader.wake(); // more was recorded
  t.mock.timers.tick(999);
  await settled();
  assert.deepEqual(offsets(), [0, 1, 2, 3].map((n) => n * FRAME));
  t.mock.timers.tick(1);
  await settled();
  assert.deepEqual(offsets().slice(4), [1, 2, 3].map((n) => n * FRAME));
});

test("connection lost while a server holds enough goes on at once on the next one", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { uploader, offsets } = uploading(new Shelf({ r: 2 * FRAME }));
  uploader.resumed(resume(0));
  await settled();
  uploader.slowDown(FRAME);
  uploader.disconnected();
  uploader.resumed(resume(FRAME));
  await settled();
  assert.deepEqual(offsets(), [0, FRAME, FRAME]);
});

test("rewinds once for one gap however often it is reported", async () => {
  const { uploader, offsets } = uploading(new Shelf({ r: 4 * FRAME }));
  uploader.resumed(resume(0));
  await settled();
  uploader.rewind(FRAME);
  uploader.rewind(FRAME);
  await settled();
  assert.deepEqual(offsets(), [0, FRAME, 2 * FRAME, 3 * FRAME, FRAME, 2 * FRAME, 3 * FRAME]);
});

test("finishes after the last byte; sends what was missing at once and, after a pause, finishes again", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { uploader, sent } = uploading(new Shelf({ r: 2 * FRAME }, { r: 2 * FRAME }));
  uploader.resumed(resume(0));
  await settled();
  const finish = { type: "finish_answer", answer: "a", bytes: 2 * FRAME };
  assert.deepEqual(sent.at(-1), finish);
  for (const pauseMs of [500, 1000, 2000]) {
    uploader.missing(FRAME);
    await settled();
    t.mock.timers.tick(pauseMs - 1);
    await settled();
    assert.deepEqual(sent.at(-1), [FRAME, FRAME]);
    t.mock.timers.tick(1);
    await settled();
    assert.deepEqual(sent.slice(-2), [[FRAME, FRAME], finish]);
  }
});

test("sends silence up to what this device holds, and finishes with the full length", async () => {
  const { uploader, sent } = uploading(new Shelf({ r: 4 * FRAME }, { r: 4 * FRAME }, 1.5 * FRAME));
  uploader.resumed(resume(0));
  await settled();
  const finish = { type: "finish_answer", answer: "a", bytes: 4 * FRAME };
  assert.deepEqual(sent, [[0, 8000], [8000, 4000], [12_000, 4000], [16_000, 8000], [24_000, 8000], finish]);
});

test("frame recorded while the uploader looked for it is not taken for a gap", async () => {
  const shelf = new Shelf({ r: 0 });
  const { uploader, sent } = uploading(shelf);
  uploader.outlet.sendBytes = (frame) => sent.push(new Uint8Array(frame)[8]);
  const looks = [null, Uint8Array.of(7, 7), null]; // missing; present; nothing after it
  shelf.read = async () => looks.shift()?.buffer ?? null;
  shelf.nextOffset = async (_, offset) => (offset === 0 ? 0 : null);
  uploader.resumed(resume(0));
  await settled();
  assert.deepEqual(sent, [7]);
});

test("a server that lost everything is sent what this device holds beyond the gap", async () => {
  const { uploader, offsets } = uploading(new Shelf({ r: 2 * FRAME }, {}, FRAME));
  uploader.resumed(resume(FRAME));
  await settled();
  uploader.rewind(0);
  await settled();
  assert.deepEqual(offsets(), [FRAME, 0, FRAME]);
});

test("written answer goes out after its audio, once, and again when the candidate sends it again", async () => {
  let written = null;
  const { uploader, sent } = uploading(new Shelf({ r: 2 * FRAME }), { written: () => written });
  uploader.resumed(resume(FRAME));
  await settled();
  written = { type: "type_answer", answer: "a", text: "words" };
  uploader.complete();
  await settled();
  uploader.acked(2 * FRAME);
  await settled();
  assert.deepEqual(sent, [[FRAME, FRAME], { ...written, bytes: 2 * FRAME }]);
  uploader.complete();
  await settled();
  assert.equal(sent.length, 3);
});

test("finishes with what there is when neither side has the rest", async () => {
  const { uploader, sent } = uploading(new Shelf({ r: FRAME }, { r: 3 * FRAME }));
  uploader.resumed(resume(0));
  await settled();
  assert.deepEqual(sent.at(-1), { type: "finish_answer", answer: "a", bytes: FRAME });
});

test("offers the recordings one after the other", async () => {
  const shelf = new Shelf({ r: FRAME, s: FRAME }, { r: FRAME });
  const { uploader, sent } = uploading(shelf, { closed: ["r"], toOffer: ["a", "b"] });
  uploader.catchUp();
  assert.deepEqual(sent, [{ type: "select", answer: "a" }]);
  uploader.resumed(resume(0));
  await settled();
  assert.deepEqual(sent.at(-1), [0, FRAME]);
  uploader.acked(FRAME);
  await settled();
  assert.deepEqual(sent.at(-1), { type: "select", answer: "b" });
});

test("sends nothing beyond the limit", async () => {
  const { uploader, sent } = uploading(new Shelf({ r: 3 * FRAME }));
  uploader.resumed(resume(0, { limit_bytes: 10_000 }));
  await settled();
  assert.deepEqual(sent, [[0, 8000], [8000, 2000]]);
});

test("recording interrupted by another is offered again when that one is complete", async () => {
  const closed = ["r"];
  const { uploader, sent } = uploading(new Shelf({ r: 3 * FRAME, s: FRAME }), { closed, toOffer: ["a", "b"] });
  uploader.catchUp();
  uploader.expect("b"); // begin_answer
  uploader.resumed(resume(0)); // of a: too late, frames would be stored in b
  uploader.resumed(resume(0, { answer: "b", recording: "s" }));
  await settled();
  uploader.acked(FRAME);
  closed.push("s");
  uploader.wake();
  await settled();
  assert.deepEqual(sent, [{ type: "select", answer: "a" }, [0, FRAME], { type: "select", answer: "a" }]);
});

test("nothing is offered twice in one connection", async () => {
  const { uploader, sent } = uploading(new Shelf({ r: FRAME }), { closed: ["r"], toOffer: ["a"] });
  uploader.catchUp();
  uploader.resumed(resume(FRAME));
  await settled();
  uploader.wake();
  await settled();
  assert.deepEqual(sent, [{ type: "select", answer: "a" }]);
});

test("frames are as long as the server asks, at once, and the last one is what is left", async () => {
  const { uploader, sent } = uploading(new Shelf({ r: 7 * FRAME }, { r: 7 * FRAME }));
  uploader.useFrames(1000); // another connection's
  uploader.resumed(resume(0));
  await settled();
  assert.deepEqual(sent.slice(0, 7), [0, 1, 2, 3, 4, 5, 6].map((n) => [n * FRAME, FRAME]));
  uploader.rewind(2000);
  uploader.useFrames(1000);
  await settled();
  assert.deepEqual(sent.slice(-3, -1), [[2000, 3.75 * FRAME], [4 * FRAME, 3 * FRAME]]);
});

test("long frame waits for more audio, but not for long", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let nowMs = 0;
  t.mock.method(performance, "now", () => nowMs);
  const shelf = new Shelf({ r: FRAME });
  const { uploader, sent } = uploading(shelf);
  uploader.resumed(resume(0, { frame_ms: 1000 }));
  await settled();
  assert.deepEqual(sent, [[0, FRAME]], "the first is sent at once");
  for (const frames of [2, 3, 4]) {
    shelf.totals.r = frames * FRAME;
    uploader.wake();
    await settled();
  }
  assert.equal(sent.length, 1);
  nowMs = 1250;
  t.mock.timers.tick(1250);
  await settled();
  assert.deepEqual(sent[1], [FRAME, 3 * FRAME]);
  shelf.totals.r = 5 * FRAME;
  uploader.hurry();
  await settled();
  assert.deepEqual(sent[2], [4 * FRAME, FRAME], "the page may be closed");
});

test("frames are short again as soon as the server says so, and never longer than it can take", async () => {
  const shelf = new Shelf({ r: 6 * FRAME });
  const { uploader, sent } = uploading(shelf);
  uploader.resumed(resume(0, { frame_ms: 60_000 }));
  await settled();
  assert.equal(sent[0][1], 6 * FRAME);
  uploader.acked(6 * FRAME);
  shelf.totals.r = 8 * FRAME;
  uploader.wake();
  await settled();
  assert.equal(sent.length, 1);
  uploader.useFrames(250);
  await settled();
  assert.deepEqual(sent.slice(1), [[6 * FRAME, FRAME], [7 * FRAME, FRAME]]);
});
