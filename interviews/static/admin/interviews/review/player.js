// Plays the recordings of an interview as if they were one. Two elements take turns, so that the next recording is there
// when one ends.

import { trackAt } from "./timeline.js";

const READY_BEFORE_S = 8;

export class Player extends EventTarget {
  #tracks;
  #sources;
  #audio = newAudio();
  #spare = newAudio();
  #index = -1;
  #seekTo = null; // seconds of the recording, until its length is known
  #isWanted = false; // whether it should be playing
  #hasFailed = false;
  #speed = 1;

  /**
   * @param {import("./timeline.js").Track[]} tracks
   * @param {string[]} sources  of each track; an address that leads to one that is valid for some minutes
   *
   * Events: "change" when it plays, pauses, seeks or fails.
   */
  constructor(tracks, sources) {
    super();
    this.#tracks = tracks;
    this.#sources = sources;
    for (const audio of [this.#audio, this.#spare]) this.#follow(audio);
  }

  get isPaused() { return !this.#isWanted; }

  get track() { return this.#tracks[Math.max(this.#index, 0)]; }

  /** Seconds on the timeline. */
  get time() { return this.track.start + this.trackTime; }

  /** Seconds of the recording that is heard. */
  get trackTime() { return this.#seekTo ?? this.#audio.currentTime; }

  get total() {
    const last = this.#tracks.at(-1);
    return last.start + last.duration;
  }

  set speed(speed) {
    this.#speed = speed;
    this.#setSpeed();
  }

  seek(time) {
    const wanted = Math.min(Math.max(time, 0), this.total - 0.01);
    const index = trackAt(this.#tracks, wanted);
    const { start, duration } = this.#tracks[index];
    this.#open(index);
    this.#goTo(Math.min(wanted - start, duration - 0.01));
    this.#changed();
  }

  play() {
    this.#isWanted = true;
    if (this.#index < 0) this.#open(0);
    else if (this.#audio.ended) this.seek(0); // the last one: from the beginning
    this.#start();
    this.#changed();
  }

  pause() {
    this.#isWanted = false;
    this.#audio.pause();
    this.#changed();
  }

  /** Ends for good: the page shows another interview. */
  close() {
    this.#isWanted = false;
    for (const audio of [this.#audio, this.#spare]) {
      audio.pause();
      audio.removeAttribute("src");
    }
  }

  /** Called while it plays: fetches the next recording in time. */
  prepare() {
    const next = this.#sources[this.#index + 1];
    if (!next || this.#spare.dataset.source === next) return;
    if (this.track.duration - this.trackTime < READY_BEFORE_S * this.#speed) load(this.#spare, next);
  }

  #open(index) {
    if (index === this.#index) return;
    const source = this.#sources[index];
    this.#audio.pause();
    if (this.#spare.dataset.source === source) [this.#audio, this.#spare] = [this.#spare, this.#audio];
    else load(this.#audio, source);
    this.#index = index;
    this.#seekTo = null;
    this.#setSpeed();
    if (this.#isWanted) this.#start();
  }

  #goTo(seconds) {
    if (this.#audio.readyState >= HTMLMediaElement.HAVE_METADATA) this.#audio.currentTime = seconds;
    else this.#seekTo = seconds;
  }

  #start() {
    this.#audio.play().catch(() => {}); // "error" or "pause" says so
  }

  #setSpeed() {
    for (const audio of [this.#audio, this.#spare]) {
      audio.preservesPitch = true;
      audio.defaultPlaybackRate = this.#speed; // loading resets the other one to this
      audio.playbackRate = this.#speed;
    }
  }

  #follow(audio) {
    const when = (name, then) => audio.addEventListener(name, () => { if (audio === this.#audio) then(); });
    when("loadedmetadata", () => {
      this.#hasFailed = false;
      if (this.#seekTo !== null) audio.currentTime = this.#seekTo;
      this.#seekTo = null;
    });
    when("seeked", () => this.#changed());
    when("ended", () => this.#goOn());
    when("error", () => this.#tryAgain());
  }

  #goOn() {
    if (this.#index + 1 < this.#tracks.length) {
      this.#open(this.#index + 1);
      this.#goTo(0);
    } else {
      this.pause();
    }
  }

  /** The address behind the source has ended while the page was open: the source leads to a new one. */
  #tryAgain() {
    if (this.#hasFailed) {
      this.#isWanted = false;
      this.#changed();
      return;
    }
    this.#hasFailed = true;
    this.#seekTo = this.trackTime;
    load(this.#audio, this.#sources[this.#index]);
    this.#setSpeed();
    if (this.#isWanted) this.#start();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

function newAudio() {
  const audio = new Audio();
  audio.preload = "auto";
  return audio;
}

function load(audio, source) {
  audio.dataset.source = source;
  audio.src = source;
  audio.load();
}
