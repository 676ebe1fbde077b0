// The interview room: connects the server's state, the microphone, the store and the screens.

import { Connection } from "./connection.js";
import { clock } from "./countdown.js";
import { Help } from "./help.js";
import { Patience } from "./patience.js";
import { Take } from "./take.js";
import { Player } from "./player.js";
import { Recorder } from "./recorder.js";
import { text } from "./screen.js";
import {
  apply, focusAnswer, forgettable, isStillWanted, isWaitingForServer, questions, stepOf, unstored,
} from "./state.js";
import { CheckStep } from "./steps/check.js";
import { FinishStep } from "./steps/finish.js";
import { PracticeStep, ReadyStep, ResumeStep } from "./steps/pause.js";
import { ProblemStep } from "./steps/problem.js";
import { QuestionStep } from "./steps/question.js";
import { Store } from "./store.js";
import { OVER_LIMIT_PAUSE_MS, Uploader } from "./uploader.js";
import { clearBanner, showConnection, showProgress, showStoreTrouble } from "./surroundings.js";
import { BYTES_PER_S } from "./wire.js";

const NO_ANSWER_MS = 15_000;
const LOOK_MS = 1_000; // how often the page looks whether anything moves
const MICROPHONE_KEY = "interview-microphone";
const SCREENS = { check: CheckStep, practice: PracticeStep, ready: ReadyStep, resume: ResumeStep, finish: FinishStep };

/**
 * @typedef {object} Config  from the view, through json_script "room-config"
 * @property {string} token
 * @property {string} websocket_path
 * @property {string} link  the candidate's link, to go on elsewhere
 * @property {string} worklet_url
 * @property {MediaTrackConstraints} [microphone]  echoCancellation, noiseSuppression, autoGainControl
 * @property {boolean} [keep_audio]  see store.js
 * @property {boolean} [text_only]  an accommodation: answers are written
 */

export class Room {
  /** @type {State|null} */ state = null;
  step = "";
  notice = ""; // one sentence for the next screen
  /** @type {Take|null} */ take = null; // the recording that is being made here
  #view = null;
  #viewKey = "";
  #resumes = new Map(); // recording id: the server's latest word on it
  #pending = null; // a command the server may not have got
  #clockSkewMs = 0;
  #cameBack = null;
  #dropping = new Set(); // recordings given up whose last frame is still on its way
  #patience = new Patience();

  /** @param {Config} config @param {HTMLElement} element */
  constructor(config, element) {
    this.element = element;
    this.link = config.link;
    this.local = {
      inFlow: false,
      isWriting: Boolean(config.text_only),
      heard: null,
      starting: null,
      live: null,
      ended: new Set(),
      problem: null,
    };
    this.player = new Player();
    this.recorder = new Recorder({
      workletUrl: config.worklet_url,
      constraints: { echoCancellation: true, noiseSuppression: true, autoGainControl: true, ...config.microphone },
    });
    this.recorder.onLost = (code) => this.#stumble(code);
    this.store = new Store(config.token, { keepAudio: Boolean(config.keep_audio) });
    this.store.onTrouble = showStoreTrouble;
    this.connection = new Connection(config.websocket_path);
    this.uploader = new Uploader(this.store, {
      send: (message) => this.connection.send(message),
      sendBytes: (frame) => this.connection.sendBytes(frame),
      isOpen: (recording) => (this.#recording(recording)?.status ?? "open") === "open",
      toOffer: () => this.#answersToOffer(),
      written: (answer) => (this.#isWritten(answer) ? this.#pending : null),
      progressed: () => this.step === "finish" && this.#view.update(),
    });
    this.help = new Help(this);
  }

  async start() {
    await this.#openStore();
    this.connection.addEventListener("message", ({ detail }) => this.#receive(detail));
    this.connection.addEventListener("change", () => this.#connectionChanged());
    this.connection.addEventListener("over", ({ detail }) => this.#leave(detail));
    addEventListener("beforeunload", (event) => this.#hasUnsent() && event.preventDefault());
    addEventListener("pagehide", () => this.recorder.flush());
    document.addEventListener("visibilitychange", () => document.hidden && this.recorder.flush());
    this.connection.connect();
    setTimeout(() => this.state || this.local.problem || this.#stumble("server_error"), NO_ANSWER_MS);
    setInterval(() => this.#lookForMovement(), LOOK_MS);
  }

  async #openStore() {
    await this.store.open();
    for (const { id, bytes } of this.store.recordings) if (bytes !== null) this.local.ended.add(id);
  }

  /** An event can be lost between the server's processes: nobody shall wait for it for ever. */
  #lookForMovement() {
    const isWaiting = this.connection.isOpen && this.state && isWaitingForServer(this.state, this.step, this.#pending);
    if (this.#patience.isOver(Boolean(isWaiting), performance.now())) this.connection.refresh();
  }

  // --- what the server says -------------------------------------------------------------------------------------

  #receive(message) {
    const receive = {
      snapshot: () => this.#snapshot(message),
      event: () => this.#event(message),
      resume: () => this.#resume(message),
      ack: () => this.uploader.acked(message.offset),
      error: () => this.#error(message),
      taken_over: () => this.#leave("taken_over"),
    }[message.type];
    if (receive) this.#patience.moved(performance.now());
    if (receive) receive();
    else this.#view?.message?.(message);
  }

  #snapshot({ session, answers, now }) {
    this.state = { session, answers };
    if (this.local.problem?.code === "server_error") this.local.problem = null;
    this.#clockSkewMs = Date.parse(now) - Date.now();
    this.#resumes.clear();
    this.#stateChanged({ isWhole: true });
    if (this.#pending && !this.#isWritten(this.#pending.answer)) this.connection.send(this.#pending);
    this.uploader.catchUp();
  }

  #event({ session, answer }) {
    if (!this.state) return;
    const { status } = this.state.session;
    this.state = apply(this.state, { session, answer });
    if (this.state.session.status !== status) this.local.inFlow = false;
    this.#stateChanged({ isWhole: false });
  }

  #stateChanged({ isWhole }) {
    if (this.#pending && !isStillWanted(this.state, this.#pending)) this.#pending = null;
    this.#settleTake();
    this.#forgetStored({ isWhole });
    this.render();
    this.uploader.wake();
  }

  /** The take is over when the server has moved on from its recording. */
  #settleTake() {
    if (!this.take) return;
    const { status, recording } = this.#answer(this.take.answer);
    const isMine = recording?.id === this.take.recording;
    if (isMine && status === "recording") this.take.isConfirmed = true;
    else if (this.take.isConfirmed) this.#dropTake();
  }

  async #dropTake() {
    const { take } = this;
    this.take = this.local.live = null;
    this.#dropping.add(take.recording);
    await this.recorder.stop();
    await take.kept; // a frame kept after the recording was removed would stay on this device
    this.#dropping.delete(take.recording);
    this.#forgetStored({ isWhole: false });
  }

  #forgetStored({ isWhole }) {
    const held = this.store.recordings.map(({ id }) => id);
    for (const id of forgettable(this.state, held, { isWhole })) {
      if (id !== this.take?.recording && !this.#dropping.has(id)) this.store.remove(id);
    }
  }

  /** Those of which the server may lack something this device has, and the current one to learn where it stands. */
  #answersToOffer() {
    return unstored(this.state)
      .filter(({ status, recording }) => status === "recording" || this.store.has(recording.id))
      .map(({ id }) => id);
  }

  #resume(message) {
    this.#resumes.set(message.recording, message);
    this.uploader.resumed(message);
    if (this.local.starting === message.answer) this.#record(message);
    else if (this.step === "resume") this.render();
  }

  #error({ code, offset }) {
    if (code === "gap") this.uploader.rewind(offset);
    else if (code === "audio_missing") this.uploader.missing(offset);
    else if (code === "over_limit") this.connection.refresh(OVER_LIMIT_PAUSE_MS); // the server looks at its row again
    else if (["wrong_state", "not_recording", "not_yours"].includes(code)) this.#startAfresh();
    else if (code === "bad_value" && this.#pending?.type === "type_answer") this.#refuseText();
    else console.warn("the server did not accept a message:", code);
  }

  /** What this page believed was out of date: a fresh snapshot puts it right. */
  #startAfresh() {
    this.#pending = null;
    this.local.starting = null;
    this.connection.refresh();
  }

  #refuseText() {
    this.#pending = null;
    this.#view.refuseText?.();
  }

  #connectionChanged() {
    const { isOpen } = this.connection;
    if (!isOpen) this.uploader.disconnected();
    showConnection(isOpen, Boolean(this.take));
    if (this.state) this.render();
  }

  /** Another tab has the interview, or the link no longer works. */
  async #leave(code) {
    this.connection.close();
    await this.recorder.stop();
    this.recorder.close();
    this.take = this.local.live = this.local.starting = this.#pending = null;
    this.local.inFlow = false;
    this.local.problem = { code };
    clearBanner();
    this.render();
  }

  async continueHere() {
    this.local.problem = null;
    await this.#openStore(); // the other tab may have recorded here
    this.connection.connect();
  }

  // --- what the candidate does ----------------------------------------------------------------------------------

  /** Sends a command, again after a reconnect if it is still wanted then. */
  command(type, rest = {}) {
    this.#pending = { type, ...rest };
    this.#patience.moved(performance.now());
    if (this.#isWritten(rest.answer)) this.uploader.complete();
    else this.connection.send(this.#pending);
  }

  /** Whether the answer is spoken in part and about to be completed in writing: the audio is delivered first. */
  #isWritten(answer) {
    return this.#pending?.type === "type_answer" && this.#pending.answer === answer && this.#isRecording(answer);
  }

  #isRecording(answer) {
    return this.#answer(answer)?.status === "recording";
  }

  /** From a button: opens the microphone and goes on with the current answer. */
  async enterFlow() {
    if (!(await this.openMicrophone())) return;
    const answer = focusAnswer(this.state);
    if (this.step === "resume" && answer.status === "asked") this.#cameBack = { id: answer.id, atMs: this.serverNowMs };
    this.local.inFlow = true;
    const known = answer.status === "recording" && this.#resumes.get(answer.recording.id);
    if (known && !this.local.isWriting) await this.#record(known);
    this.render();
  }

  /** @returns {Promise<boolean>} false: the problem is on the screen */
  async openMicrophone() {
    if (this.recorder.isOpen || this.local.isWriting) return true;
    try {
      await this.recorder.open(localStorage.getItem(MICROPHONE_KEY) ?? "");
      navigator.wakeLock?.request("screen").catch(() => {}); // a dark screen would end the recording on a phone
      return true;
    } catch (error) {
      console.warn("no microphone:", error.cause ?? error);
      this.#stumble(error.code);
      return false;
    }
  }

  #stumble(code) {
    this.local.problem = { code, kept: this.take ? clock(this.take.bytes / BYTES_PER_S) : "" };
    this.render();
  }

  /** @param {string} deviceId  also in the middle of an answer, which goes on in the same recording */
  async useMicrophone(deviceId) {
    localStorage.setItem(MICROPHONE_KEY, deviceId);
    await this.recorder.stop();
    this.recorder.close();
    if ((await this.openMicrophone()) && this.take) this.take.start(this.recorder);
  }

  /** @param {string} deviceId  "" for the usual one */
  async retryMicrophone(deviceId) {
    if (deviceId) localStorage.setItem(MICROPHONE_KEY, deviceId);
    this.local.problem = null;
    if (!(await this.openMicrophone())) return;
    if (this.take) this.take.start(this.recorder);
    else if (this.state.session.status !== "checking") return this.enterFlow();
    this.render();
  }

  /** Answers are written from now on. */
  async write() {
    await this.recorder.stop();
    this.recorder.close();
    Object.assign(this.local, { isWriting: true, problem: null, live: null, starting: null });
    this.take = null;
    if (this.state.session.status === "under_way") this.local.inFlow = true;
    else this.command("skip_practice"); // there is nothing to practise in writing
    this.render();
  }

  /** The question has been heard or read. */
  heard({ id }) {
    this.local.heard = id;
    this.render();
  }

  begin({ id }) {
    this.#startWith("begin_answer", id);
  }

  async retake({ id }) {
    if (!(await this.openMicrophone())) return;
    this.#startWith("retake", id);
  }

  #startWith(type, answer) {
    this.notice = "";
    this.local.starting = answer;
    this.local.inFlow = true;
    this.uploader.expect(answer);
    this.command(type, { answer });
    this.render();
  }

  /** The server has said where: the microphone is on from here. */
  async #record({ answer, recording, offset, limit_bytes: limit }) {
    const start = await this.store.end(recording, offset);
    await this.store.begin(recording, answer);
    if (this.take?.recording === recording) return; // the server said it twice
    this.take = new Take({ answer, recording, bytes: start, limit: limit ?? Infinity });
    this.take.onFrame = (at, pcm) => this.#keep(recording, at, pcm);
    this.take.onEnd = (isLimit) => this.#ended(isLimit);
    this.take.isConfirmed = this.#recording(recording) !== undefined;
    this.local.live = { answer, recording };
    this.local.starting = null;
    this.take.start(this.recorder);
    this.render();
  }

  async #keep(recording, at, pcm) {
    await this.store.append(recording, at, pcm);
    this.uploader.wake();
    if (this.step === "record") this.#view.update();
  }

  finishAnswer() {
    this.take?.finish(this.recorder);
  }

  async #ended(isLimit) {
    const { recording, bytes } = this.take;
    await this.store.finish(recording, bytes);
    this.notice = isLimit ? text("time-up") : "";
    this.local.ended.add(recording);
    this.uploader.wake();
    this.render();
  }

  /** @param {Answer} answer */
  async accept({ id }) {
    this.notice = "";
    this.local.inFlow = await this.openMicrophone();
    this.command("accept_answer", { answer: id });
  }

  // --- what the screens ask -------------------------------------------------------------------------------------

  get serverNowMs() {
    return Date.now() + this.#clockSkewMs;
  }

  get recordedBytes() {
    return this.take?.bytes ?? 0;
  }

  /** Whether turn detection is about now, not about what was said before the connection was lost. */
  get isServerListening() {
    return this.recordedBytes - this.uploader.ackedBytes < 2 * BYTES_PER_S;
  }

  /** When the candidate came back to this question, by the server's clock; null if never away. */
  cameBackAtMs({ id }) {
    return this.#cameBack?.id === id ? this.#cameBack.atMs : null;
  }

  /** @returns {Promise<number|null>} bytes of this answer that are safe here or there; null: not known yet */
  async safeBytes({ recording }) {
    const known = this.#resumes.get(recording.id);
    return known ? this.store.end(recording.id, known.offset) : null;
  }

  takeNotice() {
    const { notice } = this;
    this.notice = "";
    return notice;
  }

  isLast({ id, kind }) {
    const others = questions(this.state).filter((other) => other.id !== id);
    return kind === "question" && others.every(({ status }) => status === "accepted");
  }

  #answer(id) {
    return this.state.answers.find((answer) => answer.id === id);
  }

  #recording(id) {
    return this.state?.answers.find(({ recording }) => recording?.id === id)?.recording;
  }

  #hasUnsent() {
    return Boolean(this.take) || (this.step === "saving" && !this.connection.isOpen);
  }

  // --- the screen -----------------------------------------------------------------------------------------------

  render() {
    if (!this.state && !this.local.problem) return;
    this.step = this.local.problem ? "problem" : stepOf(this.state, this.local);
    if (this.step !== "starting") this.element.dataset.step = this.step;
    const answer = this.state && focusAnswer(this.state);
    const key = SCREENS[this.step] ? this.step : this.step === "problem" ? this.local.problem.code : (answer?.id ?? "");
    if (key === this.#viewKey) this.#view.update();
    else this.#show(key, answer);
    showProgress(this.state?.session.status === "under_way" ? questions(this.state) : [], answer);
    if (this.step === "wait" && answer?.status === "pending" && this.#pending?.type !== "ask") {
      this.command("ask", { answer: answer.id });
    }
  }

  #show(key, answer) {
    this.#view?.leave();
    this.#viewKey = key;
    if (SCREENS[this.step]) this.#view = new SCREENS[this.step](this);
    else if (this.step === "problem") this.#view = new ProblemStep(this, this.local.problem);
    else this.#view = new QuestionStep(this, answer);
  }
}

const element = document.getElementById("room");
const config = JSON.parse(document.getElementById("room-config").textContent);
new Room({ ...config, worklet_url: element.dataset.worklet }, element).start();
