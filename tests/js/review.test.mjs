import assert from "node:assert/strict";
import { test } from "node:test";
import { nameOf } from "../../interviews/static/admin/interviews/review/keys.js";
import {
  afterPause, bars, momentOf, nextSpeed, parseTime, readMoment, trackAt, tracksOf, wordAt,
} from "../../interviews/static/admin/interviews/review/timeline.js";

const WORDS = [{ start: 2, end: 2.5 }, { start: 2.6, end: 3 }, { start: 6, end: 6.4 }];
const NOWHERE = { isWriting: false, isControl: false, areOn: true };
const key = (name, more = {}) => ({ key: name, ctrlKey: false, metaKey: false, altKey: false, ...more });

test("answers follow each other on one timeline", () => {
  const tracks = tracksOf([10, 5.5, 20], [1, 2, 4]);
  assert.deepEqual(tracks.map(({ start }) => start), [0, 10, 15.5]);
  assert.deepEqual([-1, 0, 9.99, 10, 15.5, 99].map((time) => tracks[trackAt(tracks, time)].position), [1, 1, 1, 2, 4, 4]);
});

test("word is the last one that has begun", () => {
  assert.deepEqual([0, 2, 2.55, 4, 100].map((time) => wordAt(WORDS, time)), [-1, 0, 0, 1, 2]);
  assert.equal(wordAt([], 3), -1);
});

test("long pauses are skipped, but for a moment at both ends", () => {
  assert.equal(afterPause(WORDS, 0), 1.75, "before the first word");
  assert.equal(afterPause(WORDS, 2.55), null, "a short pause");
  assert.equal(afterPause(WORDS, 3.1), null, "the end of the word may still sound");
  assert.equal(afterPause(WORDS, 4), 5.75);
  assert.equal(afterPause(WORDS, 5.75), null, "what was skipped to is heard");
  assert.equal(afterPause(WORDS, 7), Infinity, "after the last word");
  assert.equal(afterPause([], 7), null, "without words nothing is skipped");
});

test("times are read as people write them", () => {
  assert.deepEqual(["2:05", " 1:02:05 ", "125", "0:12,5", "7.5"].map(parseTime), [125, 3725, 125, 12.5, 7.5]);
  assert.deepEqual(["", "a", "1:2:3:4", "-5", "1e9", "1::2"].map(parseTime), [null, null, null, null, null, null]);
});

test("moment is written as the server writes it, and read again", () => {
  assert.equal(momentOf("/admin/x/", 2, 12.53), "/admin/x/?answer=2&t=12.5");
  assert.equal(momentOf("/admin/x/", 2, 12), "/admin/x/?answer=2&t=12");
  assert.deepEqual(readMoment("?answer=2&t=12.5"), { position: 2, seconds: 12.5 });
  assert.deepEqual(readMoment("?answer=2.1&t=3"), { position: 2.1, seconds: 3 });
  assert.deepEqual(readMoment("?answer=3"), { position: 3, seconds: 0 });
  assert.deepEqual(readMoment("?answer=3&t=-7"), { position: 3, seconds: 0 });
  assert.deepEqual(["", "?t=5", "?answer=x&t=5"].map(readMoment), [null, null, null]);
});

test("speed goes from a half to two and stays there", () => {
  assert.deepEqual([nextSpeed(1, 1), nextSpeed(2, 1), nextSpeed(0.5, -1), nextSpeed(0.75, -1)], [1.25, 2, 0.5, 0.5]);
});

test("bars are the loudest of what they stand for, and not more than there are peaks", () => {
  assert.deepEqual(bars(Uint8Array.of(0, 51, 255, 0), 2), [0.2, 1]);
  assert.deepEqual(bars(Uint8Array.of(255), 8), [1]);
  assert.deepEqual(bars(Uint8Array.of(), 8), []);
});

test("keys are ours where nothing else needs them", () => {
  assert.equal(nameOf(key(" "), NOWHERE), "toggle");
  assert.equal(nameOf(key("N"), NOWHERE), "after");
  assert.equal(nameOf(key("g", { ctrlKey: true }), NOWHERE), "goto");
  assert.equal(nameOf(key("c", { ctrlKey: true }), NOWHERE), undefined, "copying stays copying");
  assert.equal(nameOf(key("n", { altKey: true }), NOWHERE), undefined);
  assert.equal(nameOf(key("n"), { ...NOWHERE, isWriting: true }), undefined);
  assert.equal(nameOf(key(" "), { ...NOWHERE, isControl: true }), undefined, "a button keeps its key");
  assert.equal(nameOf(key("j"), { ...NOWHERE, isControl: true }), "nextAnswer");
  assert.equal(nameOf(key("j"), { ...NOWHERE, areOn: false }), undefined);
  assert.equal(nameOf(key("g", { ctrlKey: true }), { ...NOWHERE, areOn: false }), "goto");
});
