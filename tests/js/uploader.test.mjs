import assert from "node:assert/strict";
import { test } from "node:test";
import { Uploader } from "../../interviews/static/interviews/uploader.js";

const FRAME = 8000;
const settled = () => new Promise((resolve) => setTimeout(resolve, 0));

/** A store that holds `total` bytes of each recording, in frames; `finished` says which are complete. */
class Shelf {
  constructor(totals, finished = {}) {
    Object.assign(this, { totals, finished });
  }
  async read(recording, offset) {
    const end = Math.min(this.totals[recording], (Math.floor(offset / FRAME) + 1) * FRAME);
    return offset < end ? new ArrayBuffer(end - offset) : null;
  }
  finishedBytes(recording) {
    return this.finished[recording] ?? null;
  }
}

function uploading(shelf, closed = []) {
  const sent = [];
  const uploader = new Uploader(shelf, {
    send: (message) => sent.push(message),
    sendBytes: (frame) => sent.push([Number(new DataView(frame).getBigUint64(0)), frame.byteLength - 8]),
    isOpen: (recording) => !closed.includes(recording),
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
  assert.equal(offsets().length, 32);
  uploader.acked(10 * FRAME);
  await settled();
  assert.equal(offsets().length, 42);
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

test("finishes after the last byte, and again after sending what was missing", async () => {
  const { uploader, sent } = uploading(new Shelf({ r: 2 * FRAME }, { r: 2 * FRAME }));
  uploader.resumed(resume(0));
  await settled();
  const finish = { type: "finish_answer", answer: "a", bytes: 2 * FRAME };
  assert.deepEqual(sent.at(-1), finish);
  uploader.missing(FRAME);
  await settled();
  assert.deepEqual(sent.slice(-2), [[FRAME, FRAME], finish]);
});

test("finishes with what there is when neither side has the rest", async () => {
  const { uploader, sent } = uploading(new Shelf({ r: FRAME }, { r: 3 * FRAME }));
  uploader.resumed(resume(0));
  await settled();
  assert.deepEqual(sent.at(-1), { type: "finish_answer", answer: "a", bytes: FRAME });
});

test("offers the recordings one after the other", async () => {
  const { uploader, sent } = uploading(new Shelf({ r: FRAME, s: FRAME }, { r: FRAME }), ["r"]);
  uploader.catchUp(["a", "b"]);
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
