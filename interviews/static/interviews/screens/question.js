// One question, from playback to the finished answer. The question stays in place; the part below it changes.

import { BYTES_PER_S } from "../audio/wire.js";
import { clock, Countdown } from "./countdown.js";
import { Meter } from "../../voice/meter.js";
import { Prompt } from "./prompt.js";
import { announce, Screen, text } from "./screen.js";
import { mainQuestions, thinkLeftS, timesOf } from "../state.js";
import { showTranscript } from "./transcript.js";

const NEAR_END_S = 30;
const VOICE_LEVEL = 0.25;
const SILENT_MS = 6_000;

export class QuestionStep {
  #phase = "";
  #countdown = null;
  #silentSince = Infinity; // Infinity: voice was detected
  #isHeard = false; // in this answer, by this page or by the server
  #hasWarned = false;
  #hasInterrupted = false; // the candidate spoke during the question
  #times = ""; // that the countdown was begun with

  /** @param {Room} room @param {Answer} answer */
  constructor(room, answer) {
    this.room = room;
    this.answer = answer;
    this.screen = new Screen("question");
    this.prompt = new Prompt(this.screen);
    this.meter = new Meter(this.screen.part("meter"), () => room.recorder.analyser, (level) => this.#listen(level));
    this.#showPosition();
    this.#bind();
    this.screen.say("notice", room.takeNotice());
    this.update();
  }

  #showPosition() {
    const { answer, room } = this;
    const isPractice = answer.kind === "practice";
    const total = mainQuestions(room.state).length;
    const label = { practice: "practice-label", follow_up: "follow-up-position" }[answer.kind] ?? "position";
    this.screen.say("position", text(label, { n: answer.position, total }));
    this.screen.say("practice-note", isPractice ? text("practice-note") : "");
    for (const name of ["heading", "captions", "text"]) this.screen.part(name).lang = room.state.session.language;
  }

  #bind() {
    const { screen, room } = this;
    screen.on("play", () => this.#ask());
    screen.on("skip-listening", () => this.#heard());
    screen.on("answer-now", () => this.#begin());
    for (const name of ["again", "hear"]) screen.on(name, () => this.#hearAgain());
    screen.on("start", () => this.#begin());
    screen.on("done", () => this.#done());
    screen.on("move-on", () => room.finishAnswer());
    screen.on("keep", () => this.prompt.hide());
    screen.on("retake", () => room.retake(this.answer));
    screen.on("next", () => room.accept(this.answer));
    screen.part("writing").addEventListener("submit", (event) => this.#submit(event));
    screen.part("text").addEventListener("input", ({ target }) => this.#written(target.value));
  }

  /** Call when the server's state or this page's state has changed. */
  update() {
    this.answer = this.room.state.answers.find(({ id }) => id === this.answer.id);
    const phase = this.room.step;
    this.screen.say("heading", this.answer.question ?? ""); // it comes when it is asked
    if (phase === "starting") return; // the screen stays until the microphone is on
    if (phase !== this.#phase) this.#enter(phase);
    else if (phase === "think" && this.#times !== JSON.stringify(this.#allowed)) this.#think(); // changed meanwhile
    if (phase === "record") this.#showElapsed();
    if (phase === "write") this.screen.part("hear").hidden = !this.answer.speech_url;
    if (phase === "review") this.#showReview();
  }

  #enter(phase) {
    this.leave();
    this.#phase = phase;
    this.screen.phase(phase);
    this.screen.say("phase", text(`phase-${phase}`));
    this.screen.say("clock", "");
    this.screen.say("hint", "");
    const isAskedAgain = this.answer.is_asked_again && ["ask", "think", "write"].includes(phase);
    this.screen.say("asked-again", isAskedAgain ? text("asked-again") : "");
    ({ ask: () => this.#ask(), think: () => this.#think(), record: () => this.#record(), write: () => this.#write() })[
      phase
    ]?.();
    this.screen.focus(phase === "ask" && !this.answer.speech_url ? "heading" : "phase");
  }

  #hearAgain() {
    this.room.tellHeardAgain(this.answer);
    this.room.player.play(this.answer.speech_url);
  }

  async #ask() {
    this.screen.part("play").hidden = true;
    this.screen.part("skip-listening").hidden = false;
    this.screen.say("hint", this.answer.speech_url && this.#mayInterrupt ? text("interrupt-hint") : "");
    const result = await this.room.player.play(this.answer.speech_url, () => this.#listenForVoice());
    if (result === "ended" || result === "absent") return this.#heard();
    if (result !== "blocked") return;
    this.screen.part("play").hidden = false;
    this.screen.part("skip-listening").hidden = true;
  }

  /** Starts the answer when the candidate speaks during the question. */
  #listenForVoice() {
    if (this.room.step === "ask" && this.#mayInterrupt) this.room.recorder.listen(() => this.#interrupt());
  }

  get #mayInterrupt() {
    return this.room.state.session.is_barge_in_allowed && this.room.recorder.isOpen;
  }

  #interrupt() {
    if (this.room.step !== "ask") return;
    this.#hasInterrupted = true;
    this.room.player.fadeOut();
    this.#begin();
  }

  #heard() {
    this.room.heard(this.answer);
  }

  /** The times that this candidate has. */
  get #allowed() {
    return timesOf(this.room.state.session, this.answer);
  }

  #think() {
    const { thinkS, limitS } = this.#allowed;
    const { speech_url: url } = this.answer;
    this.#times = JSON.stringify(this.#allowed);
    this.#countdown?.stop();
    this.screen.say("clock", "");
    this.screen.part("again").hidden = !url;
    this.screen.say("hint", limitS ? text("limit-hint", { time: clock(limitS) }) : "");
    if (thinkS) {
      const cameBackAtMs = this.room.cameBackAtMs(this.answer);
      const seconds = cameBackAtMs ? thinkLeftS(this.answer, cameBackAtMs, thinkS) : thinkS;
      this.#countdown = new Countdown(seconds, {
        tick: (left) => this.screen.say("clock", text("starts-in", { time: clock(left) })),
        done: () => this.#begin(),
      });
    } else if (thinkS === 0 && url) {
      this.#begin();
    }
  }

  #begin() {
    if (this.room.step === "starting") return; // a double click
    this.#countdown?.stop();
    this.room.player.stop();
    this.room.begin(this.answer);
  }

  #record() {
    this.#hasWarned = false;
    this.#silentSince = performance.now();
    this.#isHeard = this.room.takes.bytes > 0; // it goes on after a break
    this.screen.say("hint", this.#hasInterrupted ? text("interrupted-reading") : "");
    this.#hasInterrupted = false;
    this.prompt.hide();
    this.screen.part("captions").textContent = "";
    this.meter.start();
  }

  #listen(level) {
    if (level > VOICE_LEVEL) this.#heardVoice();
    this.screen.part("silent").hidden = performance.now() - this.#silentSince < SILENT_MS;
  }

  #heardVoice() {
    this.#silentSince = Infinity;
    this.#isHeard = true;
  }

  #showElapsed() {
    const elapsed = this.room.takes.bytes / BYTES_PER_S;
    const { limitS: limit } = this.#allowed;
    this.screen.say("clock", limit ? text("elapsed", { time: clock(elapsed), limit: clock(limit) }) : clock(elapsed));
    if (!limit || this.#hasWarned || limit - elapsed > NEAR_END_S || limit < 2 * NEAR_END_S) return;
    this.#hasWarned = true;
    this.screen.say("hint", text("near-end"));
    announce(text("near-end"));
  }

  /** @param {object} message  caption, speech_start or turn_ended of this answer; isOwn: this page heard it */
  message({ type, answer = this.answer.id, text: caption, isOwn = false }) {
    if (this.#phase !== "record" || answer !== this.answer.id) return;
    if (type === "caption") this.screen.part("captions").textContent = caption;
    if (type === "speech_start") {
      this.#heardVoice();
      this.prompt.hide();
    }
    if (type === "turn_ended" && (isOwn || this.room.takes.isServerListening)) this.#offerToMoveOn();
  }

  #offerToMoveOn() {
    if (!this.room.recorder.hasSound) this.prompt.ask("anything-to-add", "no-sound"); // it may be muted
    else if (this.room.state.session.accommodation?.is_untimed) this.prompt.ask("anything-to-add", "no-hurry");
    else this.prompt.countDown(() => this.room.finishAnswer());
  }

  /** The button "I'm done". An answer in which nothing was heard is asked about first. */
  #done() {
    if (this.#isHeard) this.room.finishAnswer();
    else this.prompt.ask("nothing-heard", "nothing-heard-hint");
  }

  #showReview() {
    const { answer } = this;
    this.screen.say("hint", answer.is_silent ? text("nothing-heard-at-all") : this.room.notice);
    this.screen.say("clock", answer.recording?.bytes ? clock(answer.recording.bytes / BYTES_PER_S) : "");
    this.screen.part("retake").hidden = answer.retakes_left < 1;
    const isPractice = answer.kind === "practice";
    const next = answer.may_be_followed_up ? "continue" : this.room.isLast(answer) ? "finish-interview" : "next-question";
    const again = isPractice ? "practise-again" : "record-again";
    this.screen.part("retake").textContent = text(again, { n: answer.retakes_left });
    this.screen.part("next").textContent = text(isPractice ? "end-practice" : next);
    showTranscript(this.screen.part("transcript"), answer, this.room.state.session.language);
  }

  #write() {
    this.room.player.stop();
    this.room.writes();
    this.screen.part("text").value = draft.read(this.answer.id);
  }

  #written(value) {
    draft.keep(this.answer.id, value);
    this.#markText("");
  }

  /** Shows that the server rejected the text. */
  refuseText() {
    this.#markText(text("text-refused"));
    this.screen.part("text").focus();
  }

  #markText(trouble) {
    this.screen.part("text").setAttribute("aria-invalid", Boolean(trouble));
    this.screen.say("text-trouble", trouble);
  }

  #submit(event) {
    event.preventDefault();
    const written = this.screen.part("text").value.trim();
    if (written) this.room.command("type_answer", { answer: this.answer.id, text: written });
  }

  /** @param {string} message */
  note(message) {
    this.screen.say("notice", message);
  }

  leave() {
    this.#countdown?.stop();
    this.prompt.hide();
    this.meter.stop();
    this.room.player.stop();
    this.room.recorder.forget();
    this.screen.part("silent").hidden = true;
  }
}

/** Keeps a typed draft across reloads. */
const draft = {
  read: (answer) => sessionStorage.getItem(`draft-${answer}`) ?? "",
  keep: (answer, written) => sessionStorage.setItem(`draft-${answer}`, written),
};
