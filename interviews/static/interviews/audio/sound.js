// Plays the sounds of the device check, in the recorder's audio context.

import { SAMPLE_RATE_HZ } from "./wire.js";

const TONE_HZ = [523.25, 659.25, 783.99]; // a friendly chord, one note after the other
const NOTE_S = 0.28;

/**
 * @param {AudioContext} context
 * @param {ArrayBuffer[]} frames  s16le 16 kHz
 * @returns {Promise<void>} when playback has ended
 */
export function playFrames(context, frames) {
  const samples = frames.flatMap((pcm) => Array.from(new Int16Array(pcm), (value) => value / 32768));
  const buffer = context.createBuffer(1, samples.length, SAMPLE_RATE_HZ);
  buffer.copyToChannel(Float32Array.from(samples), 0);
  const source = new AudioBufferSourceNode(context, { buffer });
  source.connect(context.destination);
  source.start();
  return new Promise((resolve) => (source.onended = resolve));
}

/** @param {AudioContext} context @returns {Promise<void>} */
export async function playChime(context) {
  await context.resume();
  const notes = TONE_HZ.map((frequency, i) => playNote(context, frequency, context.currentTime + i * NOTE_S));
  await notes.at(-1);
}

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
