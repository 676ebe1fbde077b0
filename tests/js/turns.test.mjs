import assert from "node:assert/strict";
import { test } from "node:test";
import { TurnDetector } from "../../voice/static/voice/turns.js";

const RATE = 16_000;

/** A vowel-like sound: the harmonics of a voice, as loud as speech. */
const vowel = (seconds, level = 3000, hz = 140) =>
  Int16Array.from({ length: seconds * RATE }, (_, i) => {
    let value = 0;
    for (let n = 1; n <= 12; n++) value += Math.sin((2 * Math.PI * n * hz * i) / RATE) / n;
    return level * value;
  });

/** White noise, equal in each run. */
function noise(seconds, level = 30, seed = 1) {
  let state = seed;
  return Int16Array.from({ length: seconds * RATE }, () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return level * ((2 * state) / 2 ** 31 - 1);
  });
}

const together = (...parts) => Int16Array.from(parts.flatMap((part) => [...part]));
const rounded = (events) => events.map(({ type, timestamp }) => `${type} ${timestamp.toFixed(1)}`);
const turns = (sound, options = {}) => new TurnDetector({ endSilenceMs: 3000, ...options }).push(sound);
const speaking = together(noise(1), vowel(1), noise(2.5), vowel(1), noise(5));

test("a turn ends after the silence that was asked for, and not at a shorter pause", () => {
  const expected = ["speech_start 1.0", "speech_end 2.0", "speech_start 4.5", "speech_end 5.5", "turn_ended 8.5"];
  assert.deepEqual(rounded(turns(speaking)), expected);
});

test("the events do not depend on how the sound is cut", () => {
  const [whole, detector, pieces] = [turns(speaking), new TurnDetector({ endSilenceMs: 3000 }), []];
  for (let at = 0; at < speaking.length; at += 1234) pieces.push(...detector.push(speaking.subarray(at, at + 1234)));
  assert.deepEqual(pieces, whole);
});

test("times count from the beginning of the recording", () => {
  assert.equal(rounded(turns(speaking, { startS: 60 }))[0], "speech_start 61.0");
});

test("soft speech between loud words belongs to the turn", () => {
  const sound = together(noise(1), vowel(1), noise(2), vowel(0.5, 60), noise(2), vowel(1), noise(2));
  assert.ok(turns(sound).every(({ type }) => type !== "turn_ended"));
});

test("noise without a voice is no turn, however loud it is", () => {
  const sound = together(noise(1), noise(2, 8000), noise(6));
  assert.ok(turns(sound).every(({ type }) => type !== "turn_ended"));
});

test("a click does not keep a turn open", () => {
  const sound = together(noise(1), vowel(1), noise(1.5), noise(0.05, 8000), noise(3));
  assert.equal(rounded(turns(sound)).at(-1), "turn_ended 5.0");
});

test("a noise that stays is the sound of the room after a while", () => {
  const sound = together(noise(1), vowel(1), noise(14, 600));
  const { type, timestamp } = turns(sound).at(-1);
  assert.equal(type, "turn_ended");
  assert.ok(timestamp < 14, `ended at ${timestamp}`);
});

test("a turn that began before ends without further speech", () => {
  assert.deepEqual(rounded(turns(noise(4))), []);
  assert.deepEqual(rounded(turns(noise(4), { isInTurn: true })), ["speech_end 0.0", "turn_ended 3.0"]);
});
