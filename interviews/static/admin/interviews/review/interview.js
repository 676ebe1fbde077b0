// One candidate's interview on the page: its player, its waveform and its words move together.

import { clock } from "../../../interviews/screens/countdown.js";
import { Player } from "./player.js";
import { afterPause, momentOf, nextSpeed, tracksOf } from "./timeline.js";
import { Transcript } from "./transcript.js";
import { Waveform } from "./waveform.js";

export const STEP_S = 5;

export class Interview {
  #root;
  #settings;
  #waveform;
  #current; // the answer that was heard or gone to last

  /**
   * @param {HTMLElement} root  [data-review]
   * @param {{speed: number, isSkipping: boolean}} settings  they stay from candidate to candidate
   */
  constructor(root, settings) {
    this.#root = root;
    this.#settings = settings;
    this.answers = [...root.querySelectorAll("[data-answer]")].map((article) => new Transcript(article));
    this.#current = this.answers[0];
    const tracks = [...root.querySelectorAll("[data-track]")];
    if (tracks.length) this.#connect(tracks);
    this.#root.addEventListener("focusin", (event) => this.#lookAt(event.target));
  }

  #connect(elements) {
    const seconds = elements.map(({ dataset }) => Number(dataset.seconds));
    this.tracks = tracksOf(seconds, elements.map(({ dataset }) => Number(dataset.track)));
    this.player = new Player(this.tracks, elements.map(({ dataset }) => dataset.src));
    this.#waveform = new Waveform(this.#part("wave"), this.player.total, (time) => this.seek(time));
    this.#part("total").textContent = clock(this.player.total);
    this.player.addEventListener("change", () => this.#changed());
    this.#applySettings();
    this.#show();
  }

  close() {
    this.player?.close();
  }

  /** The page's address of what is heard now. */
  get moment() {
    return momentOf(this.#root.dataset.address, this.player.track.position, this.player.trackTime);
  }

  get current() { return this.#current; }

  /** Go to a second of an answer. Without a recording only the answer is shown. */
  goTo(position, seconds = 0) {
    const answer = this.#answer(position);
    const track = this.#track(position);
    if (!answer) return;
    this.#current = answer;
    if (track) this.player.seek(track.start + Math.min(seconds, track.duration));
    answer.article.scrollIntoView({ block: "nearest" });
    answer.focus();
  }

  playFrom(position, seconds) {
    const track = this.#track(position);
    if (!track) return;
    this.player.seek(track.start + seconds);
    this.player.play();
  }

  toggle() {
    if (!this.player) return;
    if (this.player.isPaused) this.player.play();
    else this.pause();
  }

  pause() {
    this.player.pause();
    this.#answer(this.player.track.position).focus();
  }

  seek(time) {
    this.player.seek(time);
    this.#current = this.#answer(this.player.track.position);
  }

  seekBy(seconds) {
    if (this.player) this.seek(this.player.time + seconds);
  }

  stepWord(direction) {
    const { words, cursor, position } = this.#current ?? {};
    if (!words?.length) return;
    const index = Math.min(Math.max(cursor + direction, 0), words.length - 1);
    const track = this.#track(position);
    if (track) this.player.seek(track.start + words[index].start);
    this.#current.focus(index);
  }

  stepAnswer(direction) {
    const index = this.answers.indexOf(this.#current) + direction;
    if (this.answers[index]) this.goTo(this.answers[index].position);
  }

  changeSpeed(direction) {
    this.#settings.speed = nextSpeed(this.#settings.speed, direction);
    this.#applySettings();
  }

  toggleSkipping() {
    this.#settings.isSkipping = !this.#settings.isSkipping;
    this.#applySettings();
  }

  /** Take an answer from the server in place of the one that is shown. @param {string} html */
  replace(position, html) {
    const index = this.answers.findIndex((answer) => answer.position === position);
    const { cursor, article } = this.answers[index];
    const first = this.answers[index].words[cursor]?.span.dataset.first;
    const isOpen = Boolean(article.querySelector("details[open]"));
    article.outerHTML = html;
    const answer = new Transcript(this.#root.querySelector(`[data-answer="${position}"]`));
    answer.article.querySelector("details")?.toggleAttribute("open", isOpen);
    if (this.#current === this.answers[index]) this.#current = answer;
    this.answers[index] = answer;
    answer.focus(answer.words.findIndex(({ span }) => Number(span.dataset.last) >= Number(first ?? 0)));
  }

  #applySettings() {
    if (!this.player) return;
    const { speed, isSkipping } = this.#settings;
    this.player.speed = speed;
    this.#part("speed").textContent = `${speed}×`;
    this.#root.querySelector("[data-do=skip]").ariaPressed = String(isSkipping);
  }

  #changed() {
    const button = this.#root.querySelector("[data-do=toggle]");
    button.textContent = this.player.isPaused ? button.dataset.play : button.dataset.pause;
    this.#show();
    if (!this.player.isPaused && !this.#isFollowing) this.#follow();
  }

  #isFollowing = false;
  #hasBegun = false; // until then no word is lit

  /** Once a frame while it plays. */
  #follow() {
    this.#isFollowing = !this.player.isPaused && this.#root.isConnected;
    if (!this.#isFollowing) return;
    this.#show();
    this.player.prepare();
    if (this.#settings.isSkipping) this.#skip();
    requestAnimationFrame(() => this.#follow());
  }

  #skip() {
    const { track, trackTime } = this.player;
    const { words, isUnreliable } = this.#answer(track.position);
    const to = isUnreliable ? null : afterPause(words, trackTime); // words may be missing where it is unreliable
    if (to === null) return;
    const isLast = track === this.tracks.at(-1);
    if (to !== Infinity) this.player.seek(track.start + to);
    else if (!isLast) this.player.seek(track.start + track.duration);
  }

  #show() {
    const { time, track, trackTime } = this.player;
    this.#waveform.show(time, track.position);
    this.#part("time").textContent = clock(time);
    const heard = this.#answer(track.position);
    this.#hasBegun ||= time > 0 || !this.player.isPaused;
    for (const answer of this.answers) {
      answer.light(answer === heard && this.#hasBegun ? trackTime : -1);
      answer.article.classList.toggle("ip-heard", answer === heard);
    }
    if (!this.player.isPaused) this.#current = heard;
  }

  #lookAt(element) {
    const article = element.closest("[data-answer]");
    if (article && (!this.player || this.player.isPaused)) this.#current = this.#answer(Number(article.dataset.answer));
  }

  #answer(position) { return this.answers.find((answer) => answer.position === position); }

  #track(position) { return this.tracks?.find((track) => track.position === position); }

  #part(name) { return this.#root.querySelector(`[data-${name}]`); }
}
