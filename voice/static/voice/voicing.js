// How loud and how voice-like a frame of sound is. Pure: runs in the AudioWorklet, in the page and in node.

import { SAMPLE_RATE_HZ } from "./pcm.js";

export const FRAME_SAMPLES = 512; // 32 ms: two periods of the lowest voice
const SHORTEST_PERIOD = SAMPLE_RATE_HZ / 400; // the pitch of a voice lies between 70 and 400 Hz
const LONGEST_PERIOD = Math.floor(SAMPLE_RATE_HZ / 70);

/** The level of a frame. @param {Float32Array} frame  -1..1 @returns {number} dBFS */
export function decibels(frame) {
  const power = frame.reduce((sum, value) => sum + value * value, 0) / frame.length;
  return 10 * Math.log10(power + 1e-12);
}

/**
 * How periodic a frame is, as vowels are: the highest normalised autocorrelation at the periods of a voice.
 * Source: L. Rabiner, On the use of autocorrelation analysis for pitch detection (1977).
 * @param {Float32Array} frame @returns {number} about 0 (noise) .. 1 (a tone)
 */
export function periodicity(frame) {
  let highest = 0;
  for (let period = SHORTEST_PERIOD; period <= LONGEST_PERIOD; period++) {
    let [product, early, late] = [0, 1e-9, 1e-9];
    for (let i = period; i < frame.length; i++) {
      product += frame[i] * frame[i - period];
      early += frame[i - period] * frame[i - period];
      late += frame[i] * frame[i];
    }
    highest = Math.max(highest, product / Math.sqrt(early * late));
  }
  return highest;
}
