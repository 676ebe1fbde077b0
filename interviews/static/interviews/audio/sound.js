// Plays the sounds of the device check, in the recorder's audio context.

import { within } from "../../voice/waits.js";
import { SAMPLE_RATE_HZ } from "./wire.js";

const LATE_MS = 3_000;

const TONE_HZ = [523.25, 659.25, 783.99]; // a friendly chord, one note after the other
const NOTE_S = 0.28;

/**
 * @param {AudioContext} context
 * @param {ArrayBuffer[]} frames  s16le 16 kHz
 * @returns {Promise<boolean>} when playback has ended: whether it has; false if this browser plays nothing
 */
export function playFrames(context, frames) {
  const samples = frames.flatMap((pcm) => Array.from(new Int16Array(pcm), (value) => value / 32768));
  const buffer = context.createBuffer(1, samples.length, SAMPLE_RATE_HZ);
  buffer.copyToChannel(Float32Array.from(samples), 0);
  const source = new AudioBufferSourceNode(context, { buffer });
  source.connect(context.destination);
  source.start();
  return hasEnded(new Promise((resolve) => (source.onended = resolve)), buffer.duration);
}

/** @param {AudioContext} context @returns {Promise<boolean>} as above */
export async function playChime(context) {
  const notes = TONE_HZ.map((frequency, i) => playNote(context, frequency, context.currentTime + i * NOTE_S));
  return hasEnded(notes.at(-1), 2 * NOTE_S * notes.length);
}

const hasEnded = (playing, seconds) =>
  within(playing, seconds * 1000 + LATE_MS).then(() => true, () => false);

function playNote(context, frequency, at) {
  const note = new OscillatorNode(context, { frequency });
  const gain = new GainNode(context, { gain: 0 });
  gain.gain.setValueAtTime(0, at);
  gain.gain.linearRampToValueAtTime(0.2, at + 0.03);
  gain.gain.exponentialRampToValueAtTime(0.001, at + NOTE_S * 1.6);
  note.connect(gain).connect(context.destination);
  note.start(at);
  note.stop(at + NOTE_S * 1.6);
  return new Promise((resolve) => (note.onended = resolve));
}
