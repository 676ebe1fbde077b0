// Constants and the binary frame of the candidate's WebSocket. Pure.

export const SAMPLE_RATE_HZ = 16_000;
export const BYTES_PER_S = SAMPLE_RATE_HZ * 2;
export const FRAME_SAMPLES = 4_000;
export const FRAME_BYTES = 2 * FRAME_SAMPLES;
export const FRAME_MS = (1000 * FRAME_SAMPLES) / SAMPLE_RATE_HZ;
const HEADER_BYTES = 8;

/** @param {ArrayBuffer[]} pieces @returns {ArrayBuffer} one after the other */
export function joined(pieces) {
  const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.byteLength, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(new Uint8Array(piece), at);
    at += piece.byteLength;
  }
  return all.buffer;
}

/**
 * One binary message: byte offset (8 bytes, big-endian, unsigned), then the PCM.
 * @param {number} offset  bytes from the start of the recording
 * @param {ArrayBuffer} pcm  s16le mono 16 kHz
 * @returns {ArrayBuffer}
 */
export function encodeFrame(offset, pcm) {
  const frame = new Uint8Array(HEADER_BYTES + pcm.byteLength);
  new DataView(frame.buffer).setBigUint64(0, BigInt(offset));
  frame.set(new Uint8Array(pcm), HEADER_BYTES);
  return frame.buffer;
}
