// Turns recorded frames into a file that an audio element plays. Pure.

const HEADER_BYTES = 44;

/**
 * Source: Multimedia Programming Interface and Data Specifications 1.0 (RIFF), "WAVE".
 * @param {ArrayBuffer[]} frames  s16le, mono @param {number} rateHz @returns {Blob}
 */
export function wavOf(frames, rateHz) {
  const bytes = frames.reduce((sum, frame) => sum + frame.byteLength, 0);
  const header = new DataView(new ArrayBuffer(HEADER_BYTES));
  const name = (at, letters) => [...letters].forEach((letter, i) => header.setUint8(at + i, letter.charCodeAt(0)));
  name(0, "RIFF");
  header.setUint32(4, HEADER_BYTES - 8 + bytes, true);
  name(8, "WAVEfmt ");
  header.setUint32(16, 16, true); // length of the format that follows, in bytes
  header.setUint16(20, 1, true); // PCM
  header.setUint16(22, 1, true); // channels
  header.setUint32(24, rateHz, true);
  header.setUint32(28, rateHz * 2, true); // bytes a second
  header.setUint16(32, 2, true); // bytes a sample
  header.setUint16(34, 16, true); // bits a sample
  name(36, "data");
  header.setUint32(40, bytes, true);
  return new Blob([header, ...frames], { type: "audio/wav" });
}
