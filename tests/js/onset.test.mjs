import assert from "node:assert/strict";
import { test } from "node:test";
import { Preroll, VoiceOnset } from "../../voice/static/voice/onset.js";

const RATE = 16_000;
const LEARN_S = 1;

/** A vowel-like sound: the harmonics of a voice of `hz`. */
const vowel = (seconds, level, hz = 140) =>
  Float32Array.from({ length: seconds * RATE }, (_, i) => {
    let value = 0;
    for (let n = 1; n <= 12; n++) value += Math.sin((2 * Math.PI * n * hz * i) / RATE) / n;
    return level * value;
  });

/** White noise, equal in each run. */
function noise(seconds, level, seed = 1) {
  let state = seed;
  return Float32Array.from({ length: seconds * RATE }, () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return level * ((2 * state) / 2 ** 31 - 1);
  });
}

const together = (...parts) => Float32Array.from(parts.flatMap((part) => [...part]));
/** @returns {number|null} seconds until the onset was detected */
function noticedAt(onset, sound, block = 128) {
  for (let at = 0; at < sound.length; at += block) {
    if (onset.push(sound.subarray(at, at + block))) return (at + block) / RATE;
  }
  return null;
}

for (const hz of [90, 140, 220, 300]) {
  test(`a voice of ${hz} Hz is noticed within half a second`, () => {
    const at = noticedAt(new VoiceOnset(), together(noise(LEARN_S, 0.001), vowel(1, 0.1, hz)));
    assert.ok(at > LEARN_S + 0.2 && at < LEARN_S + 0.5, `noticed at ${at}`);
  });
}

test("a quiet room is no voice", () => {
  assert.equal(noticedAt(new VoiceOnset(), noise(5, 0.002)), null);
});

test("loud noise without a pitch is no voice", () => {
  assert.equal(noticedAt(new VoiceOnset(), together(noise(LEARN_S, 0.001), noise(3, 0.3))), null);
});

test("a short sound is no voice", () => {
  const sound = together(noise(LEARN_S, 0.001), vowel(0.2, 0.2), noise(1, 0.001), vowel(0.2, 0.2), noise(1, 0.001));
  assert.equal(noticedAt(new VoiceOnset(), sound), null);
});

test("the page's own voice is no voice as long as it stays as loud as it began", () => {
  assert.equal(noticedAt(new VoiceOnset(), vowel(6, 0.05)), null);
});

test("a voice louder than what comes back of the page's is noticed", () => {
  const at = noticedAt(new VoiceOnset(), together(vowel(2, 0.01), vowel(1, 0.1, 190)));
  assert.ok(at > 2 && at < 2.5, `noticed at ${at}`);
});

test("the onset does not depend on how the sound is cut", () => {
  const sound = together(noise(LEARN_S, 0.001), vowel(1, 0.1));
  const [fine, coarse] = [noticedAt(new VoiceOnset(), sound, 1), noticedAt(new VoiceOnset(), sound, 128)];
  assert.ok(Math.abs(fine - coarse) <= 128 / RATE);
});

const counted = (from, count) => Float32Array.from({ length: count }, (_, i) => from + i);
const flat = (blocks) => blocks.flatMap((block) => [...block]);

test("preroll keeps the newest samples, and all that come after hold", () => {
  const preroll = new Preroll(256);
  for (let at = 0; at < 1280; at += 128) preroll.push(counted(at, 128));
  preroll.hold();
  for (let at = 1280; at < 2560; at += 128) preroll.push(counted(at, 128));
  assert.deepEqual(flat(preroll.take()), [...counted(1024, 1536)]);
  assert.deepEqual(preroll.take(), []);
});

test("preroll copies: the audio thread fills its block anew", () => {
  const preroll = new Preroll(256);
  const block = counted(0, 128);
  preroll.push(block);
  block.fill(7);
  assert.equal(flat(preroll.take())[1], 1);
});

test("preroll holds no more than it may", () => {
  const preroll = new Preroll(128, 256);
  preroll.hold();
  for (let at = 0; at < 1280; at += 128) preroll.push(counted(at, 128));
  assert.deepEqual(flat(preroll.take()), [...counted(0, 256)]);
});
