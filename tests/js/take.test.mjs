import assert from "node:assert/strict";
import { test } from "node:test";
import { Take } from "../../interviews/static/interviews/audio/take.js";

/** A take of at most `limit` bytes, and the calls to its recorder. */
function recording(limit) {
  const [starts, ends] = [[], []];
  const recorder = { start: (samples, sink) => starts.push({ samples, ...sink }) };
  const take = new Take({ answer: "a", recording: "r", bytes: 0, limit });
  take.onEnd = (isLimit) => ends.push(isLimit);
  take.start(recorder);
  return { take, starts, ends };
}

test("recording ends at its limit", async () => {
  const { take, starts, ends } = recording(100);
  starts[0].frame(new ArrayBuffer(100));
  starts[0].stopped("limit");
  await take.kept;
  await Promise.resolve();
  assert.deepEqual([starts.length, ends], [1, [true]]);
});

test("recording whose limit was raised in its middle goes on", async () => {
  const { take, starts, ends } = recording(100);
  starts[0].frame(new ArrayBuffer(100));
  take.limit = 160;
  starts[0].stopped("limit");
  await take.kept;
  assert.deepEqual([starts.map(({ samples }) => samples), ends], [[50, 30], []]);
});
