// Times of an interview: its answers one after the other, and the words of each. Pure.

/**
 * @typedef {{position: number, start: number, duration: number}} Track  an answer; seconds on the timeline.
 *   Position 2.1 is the first follow-up to the second question.
 */
/** @typedef {{start: number, end: number}} Timed  a word; seconds from the start of its answer */

/** A pause between two words that is longer than this is skipped; so much of it stays on either side. */
const PAUSE_S = 1;
const KEPT_S = 0.25;

export const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2];

/** @param {number[]} durations @param {number[]} positions @returns {Track[]} */
export function tracksOf(durations, positions) {
  let start = 0;
  return durations.map((duration, index) => {
    const track = { position: positions[index], start, duration };
    start += duration;
    return track;
  });
}

/** The track that is heard at `time`: the last one that has begun. @param {Track[]} tracks */
export function trackAt(tracks, time) {
  return Math.max(0, lastBegun(tracks, time));
}

/** The last word that has begun at `time`; -1 before the first. @param {Timed[]} words */
export function wordAt(words, time) {
  return lastBegun(words, time);
}

function lastBegun(items, time) {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (items[middle].start <= time) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/**
 * Where to go on if `time` lies in a pause, in seconds of the answer; null if it does not. Infinity after the last word.
 * An answer without words is heard as a whole.
 * @param {Timed[]} words
 */
export function afterPause(words, time) {
  if (!words.length) return null;
  const index = wordAt(words, time);
  const next = words[index + 1];
  const from = index < 0 ? 0 : words[index].end + KEPT_S;
  const to = next ? next.start - KEPT_S : Infinity;
  const isLong = next ? next.start - (index < 0 ? 0 : words[index].end) > PAUSE_S : true;
  return isLong && time >= from && time < to - 0.1 ? to : null;
}

/** "2:05", "1:02:05", "125" or "125.5" as seconds; null for anything else. @param {string} text */
export function parseTime(text) {
  const parts = text.trim().split(":");
  const isTime = parts.length <= 3 && parts.every((part) => /^\d{1,6}([.,]\d+)?$/.test(part));
  if (!isTime) return null;
  return parts.reduce((seconds, part) => seconds * 60 + Number(part.replace(",", ".")), 0);
}

/** The address of a second of an answer, as `interviews/queries/moments.py` makes it. */
export function momentOf(page, position, seconds) {
  const time = seconds.toFixed(1).replace(/\.0$/, "");
  return `${page}?${new URLSearchParams({ answer: position, t: time })}`;
}

/** What such an address names: {position, seconds}; null if it names no answer. @param {string} search */
export function readMoment(search) {
  const asked = new URLSearchParams(search);
  const position = Number.parseFloat(asked.get("answer") ?? "");
  const seconds = Number.parseFloat(asked.get("t") ?? "0");
  return Number.isNaN(position) ? null : { position, seconds: seconds > 0 ? seconds : 0 };
}

/** The next speed in a direction (-1 or 1). */
export function nextSpeed(speed, direction) {
  const index = SPEEDS.indexOf(speed);
  return SPEEDS[Math.min(Math.max(index + direction, 0), SPEEDS.length - 1)];
}

/** Heights 0..1 of `count` bars: the loudest of the bytes that each stands for. @param {Uint8Array} peaks */
export function bars(peaks, count) {
  const n = Math.min(count, peaks.length);
  return Array.from({ length: n }, (_, bar) => {
    const piece = peaks.subarray(Math.floor((bar * peaks.length) / n), Math.ceil(((bar + 1) * peaks.length) / n));
    return piece.reduce((most, peak) => Math.max(most, peak), 0) / 255;
  });
}
