import assert from "node:assert/strict";
import { test } from "node:test";
import { Framer, Resampler } from "../../voice/static/voice/pcm.js";

const sine = (hz, rate, seconds) =>
  Float32Array.from({ length: rate * seconds }, (_, i) => 0.5 * Math.sin((2 * Math.PI * hz * i) / rate));
const rms = (samples) => Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / samples.length);
const inBlocks = (resampler, input, size) => {
  const output = [];
  for (let at = 0; at < input.length; at += size) output.push(...resampler.push(input.subarray(at, at + size)));
  return output;
};

for (const rate of [16_000, 22_050, 44_100, 48_000, 96_000]) {
  test(`resampler from ${rate} Hz keeps a 1 kHz tone and its phase`, () => {
    const output = new Resampler(rate).push(sine(1000, rate, 1)).slice(200, 15_700);
    const wanted = sine(1000, 16_000, 1).slice(200, 15_700);
    assert.ok(rms(output.map((value, i) => value - wanted[i])) < 0.001);
  });
}

test("resampler removes what 16 kHz cannot carry", () => {
  const output = new Resampler(48_000).push(sine(11_000, 48_000, 1)).slice(200, 15_700);
  assert.ok(rms(output) < 0.5 * 10 ** (-60 / 20));
});

test("resampler gives the same samples however the input is cut", () => {
  const input = sine(440, 44_100, 0.5);
  const [whole, blocks, odd] = [
    inBlocks(new Resampler(44_100), input, input.length),
    inBlocks(new Resampler(44_100), input, 128),
    inBlocks(new Resampler(44_100), input, 37),
  ];
  assert.deepEqual(blocks, whole);
  assert.deepEqual(odd, whole);
});

test("resampler does not drift in a minute", () => {
  const resampler = new Resampler(44_100);
  let count = 0;
  for (let second = 0; second < 60; second++) count += resampler.push(new Float32Array(44_100)).length;
  assert.ok(60 * 16_000 - count <= 17, `${count}`); // the difference is the filter's delay, once
});

test("framer cuts exact frames and flushes the rest", () => {
  const framer = new Framer(Infinity, 4);
  const frames = [framer.push(new Float32Array(3)), framer.push(new Float32Array(6))].flat();
  assert.deepEqual(frames.map(({ length }) => length), [4, 4]);
  assert.equal(framer.flush().length, 1);
  assert.equal(framer.flush(), null);
  assert.equal(framer.samples, 9);
});

test("framer takes nothing beyond its limit", () => {
  const framer = new Framer(5, 4);
  framer.push(new Float32Array(4));
  assert.equal(framer.isFull, false);
  framer.push(new Float32Array(4));
  assert.equal(framer.isFull, true);
  assert.equal(framer.flush().length, 1);
});

test("framer scales and clips", () => {
  const [frame] = new Framer(Infinity, 4).push(Float32Array.of(0, 0.5, 2, -2));
  assert.deepEqual([...frame], [0, 16384, 32767, -32768]);
});
