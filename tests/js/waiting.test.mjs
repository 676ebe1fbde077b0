import assert from "node:assert/strict";
import { test } from "node:test";
import { stepOf } from "../../interviews/static/interviews/state.js";
import { estimateText, Herald } from "../../interviews/static/interviews/screens/waiting_times.js";

const wait = { place: 3, estimateS: 240 };
const local = { inFlow: false, isWriting: false, heard: null, starting: null, live: null, ended: new Set() };
const checking = { session: { status: "checking" }, answers: [] };

test("step is waiting before the candidate is let in, and when let in no more", () => {
  assert.equal(stepOf(null, { ...local, problem: null, wait }), "waiting");
  assert.equal(stepOf(checking, { ...local, problem: null, wait }), "waiting");
  assert.equal(stepOf(checking, { ...local, problem: null, wait: null }), "check");
});

test("problem is shown to a candidate in line, too", () => {
  assert.equal(stepOf(checking, { ...local, problem: { code: "taken_over" }, wait }), "problem");
});

for (const [estimateS, name, n] of [
  [0, "wait-short", 0],
  [50, "wait-short", 1],
  [60, "wait-minutes", 1],
  [240, "wait-minutes", 4],
  [3540, "wait-minutes", 59],
  [3600, "wait-long", 60],
]) {
  test(`estimate of ${estimateS} s is said as ${name}`, () => {
    assert.deepEqual(estimateText(estimateS), { name, n });
  });
}

test("line is said aloud once a minute at most, and only what is new", () => {
  const herald = new Herald("Place 9", 0);
  assert.equal(herald.isToSay("Place 8", 59_999), false);
  assert.equal(herald.isToSay("Place 9", 60_000), false);
  assert.equal(herald.isToSay("Place 7", 60_000), true);
  assert.equal(herald.isToSay("Place 6", 60_001), false);
  assert.equal(herald.isToSay("Place 7", 120_000), false);
  assert.equal(herald.isToSay("Place 6", 120_000), true);
});
