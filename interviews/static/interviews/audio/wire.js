// Constants and the binary frame of the candidate's WebSocket. Pure.

export const SAMPLE_RATE_HZ = 16_000;
export const BYTES_PER_S = SAMPLE_RATE_HZ * 2;
export const FRAME_SAMPLES = 4_000;
export const FRAME_BYTES = 2 * FRAME_SAMPLES;
const HEADER_BYTES = 8;

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
