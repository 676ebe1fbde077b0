// Tells in the page when a speaker has finished, without a model: for times in which the server does not listen.
// Pure: samples in, events out.
//
// It is made to be late rather than early. A sound that may be speech counts as speech: what is well above the
// quietest of the last seconds, or a little above it and periodic as vowels are. So a noise can delay the end of
// a turn, for which there is a button, and a soft word never gets lost.

import { SAMPLE_RATE_HZ } from "./pcm.js";
import { decibels, FRAME_SAMPLES, periodicity } from "./voicing.js";

const FRAME_MS = (1000 * FRAME_SAMPLES) / SAMPLE_RATE_HZ;
const QUIETEST_DB = -65; // below the noise of any room; browsers send such frames where they remove noise
const ROOM_FRAMES = 250; // 8 s: the quietest moment of these is the room
const ROOM_MEAN_FRAMES = 3;
const LOUD_DB = 10; // above the room: speech, whatever it sounds like
const SOFT_DB = 3; // above the room: speech if it is periodic
const PERIODICITY = 0.4;
const WINDOW_FRAMES = 6;
const SPEECH_FRAMES = 3; // of the window: clicks are shorter
const PAUSE_MS = 600; // as in voice/live/turn_detection.py, as are the events
const MIN_VOICED_FRAMES = 250 / FRAME_MS;

/** @typedef {{type: "speech_start"|"speech_end"|"turn_ended", timestamp: number, reason?: "silence"}} TurnEvent */

export class TurnDetector {
  #frame = new Float32Array(FRAME_SAMPLES);
  #filled = 0;
  #frames = 0;
  #room = new Room();
  #window = []; // of the last frames: whether each was loud or voiced enough
  #phase = "waiting"; // speaking, paused
  #voicedFrames = 0; // in this turn; counted as far as it matters
  #silentFrames = 0;

  /**
   * @param {{endSilenceMs: number, startS?: number, isInTurn?: boolean}} options  startS: the time of the first
   *   sample, s; isInTurn: someone spoke before it, and has not finished
   */
  constructor({ endSilenceMs, startS = 0, isInTurn = false }) {
    this.endSilenceMs = endSilenceMs;
    this.startS = startS;
    if (!isInTurn) return;
    this.#phase = "speaking";
    this.#voicedFrames = MIN_VOICED_FRAMES;
  }

  /** @param {Int16Array} samples  16 kHz, any number @returns {TurnEvent[]} as the server would send them */
  push(samples) {
    const events = [];
    for (const sample of samples) {
      this.#frame[this.#filled++] = sample / 32768;
      if (this.#filled < FRAME_SAMPLES) continue;
      this.#filled = 0;
      this.#frames++;
      events.push(...(this.#isSpeech(this.#frame) ? this.#heard() : this.#silent()));
    }
    return events;
  }

  #isSpeech(frame) {
    const above = decibels(frame) - this.#room.level(decibels(frame));
    this.#window.push(above > LOUD_DB || (above > SOFT_DB && periodicity(frame) > PERIODICITY));
    if (this.#window.length > WINDOW_FRAMES) this.#window.shift();
    return this.#window.at(-1) && this.#window.filter(Boolean).length >= SPEECH_FRAMES;
  }

  #heard() {
    const isNew = this.#phase !== "speaking";
    this.#phase = "speaking";
    if (!this.#hasSpoken && periodicity(this.#frame) > PERIODICITY) this.#voicedFrames++;
    this.#silentFrames = 0;
    return isNew ? [this.#event("speech_start", this.#frames - SPEECH_FRAMES)] : [];
  }

  #silent() {
    if (this.#phase === "waiting") return [];
    const silentMs = ++this.#silentFrames * FRAME_MS;
    const events = [];
    if (this.#phase === "speaking" && silentMs >= PAUSE_MS) {
      this.#phase = "paused";
      events.push(this.#event("speech_end", this.#frames - this.#silentFrames));
    }
    if (silentMs >= this.endSilenceMs) events.push(...this.#end());
    return events;
  }

  /** Noise alone is no turn, however loud it is: nothing may go on without an answer. */
  get #hasSpoken() {
    return this.#voicedFrames >= MIN_VOICED_FRAMES;
  }

  #end() {
    const hasSpoken = this.#hasSpoken;
    this.#phase = "waiting";
    this.#voicedFrames = 0;
    return hasSpoken ? [{ ...this.#event("turn_ended", this.#frames), reason: "silence" }] : [];
  }

  #event(type, frame) {
    return { type, timestamp: this.startS + (Math.max(0, frame) * FRAME_SAMPLES) / SAMPLE_RATE_HZ };
  }
}

/** The sound of the room: the quietest tenth of a second of the last seconds. */
class Room {
  #levels = []; // of the last frames, each the mean of a few
  #newest = [];

  /** Takes the level of the next frame. @param {number} db @returns {number} the room's, dBFS */
  level(db) {
    this.#newest.push(db);
    if (this.#newest.length > ROOM_MEAN_FRAMES) this.#newest.shift();
    this.#levels.push(this.#newest.reduce((sum, each) => sum + each, 0) / this.#newest.length);
    if (this.#levels.length > ROOM_FRAMES) this.#levels.shift();
    return Math.max(QUIETEST_DB, Math.min(...this.#levels));
  }
}
