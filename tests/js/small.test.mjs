import assert from "node:assert/strict";
import { test } from "node:test";
import { backoffMs } from "../../interviews/static/interviews/connection.js";
import { clock } from "../../interviews/static/interviews/screens/countdown.js";
import { Patience } from "../../interviews/static/interviews/patience.js";
import { levelOf } from "../../voice/static/voice/meter.js";
import { encodeFrame } from "../../interviews/static/interviews/audio/wire.js";

test("frame is the offset in eight bytes, big-endian, then the PCM", () => {
  const frame = new Uint8Array(encodeFrame(0x1_0000_0002, Uint8Array.of(7, 8).buffer));
  assert.deepEqual([...frame], [0, 0, 0, 1, 0, 0, 0, 2, 7, 8]);
});

test("backoff grows to eight seconds and is spread over the whole of it", () => {
  assert.deepEqual([0, 1, 2, 3, 50].map((attempt) => backoffMs(attempt, () => 1)), [1000, 2000, 4000, 8000, 8000]);
  assert.equal(backoffMs(9, () => 0), 0);
});

test("clock counts in minutes and seconds", () => {
  assert.deepEqual([0, 23.9, 60, 605].map(clock), ["0:00", "0:23", "1:00", "10:05"]);
});

test("level is 0 for silence and 1 for a loud voice", () => {
  assert.equal(levelOf(new Float32Array(64)), 0);
  assert.equal(levelOf(new Float32Array(64).fill(0.5)), 1);
});

test("patience ends after ten seconds of waiting without movement, and begins again", () => {
  const patience = new Patience();
  assert.equal(patience.isOver(false, 50_000), false);
  assert.equal(patience.isOver(true, 59_000), false);
  patience.moved(59_500);
  assert.equal(patience.isOver(true, 69_000), false);
  assert.equal(patience.isOver(true, 69_500), true);
  assert.equal(patience.isOver(true, 79_000), false);
  assert.equal(patience.isOver(true, 79_500), true);
});
