// The interview room: connects the server's state, the candidate's recordings and the screens.

import { Connection } from "./connection.js";
import { clock } from "./screens/countdown.js";
import { Help } from "./screens/help.js";
import { Patience } from "./patience.js";
import { Player } from "./audio/player.js";
import { text } from "./screens/screen.js";
import { apply, focusAnswer, isStillWanted, isWaitingForServer, questions, stepOf } from "./state.js";
import { CheckStep } from "./screens/check.js";
import { FinishStep } from "./screens/finish.js";
import { PracticeStep, ReadyStep, ResumeStep } from "./screens/pause.js";
import { ProblemStep } from "./screens/problem.js";
import { QuestionStep } from "./screens/question.js";
import { WaitingStep } from "./screens/waiting.js";
import { clearBanner, showConnection, showProgress } from "./screens/surroundings.js";
import { Takes } from "./audio/takes.js";
import { OVER_LIMIT_PAUSE_MS } from "./audio/uploader.js";
import { BYTES_PER_S } from "./audio/wire.js";

const NO_ANSWER_MS = 15_000;
const LOOK_MS = 1_000; // interval of the check for lost events
const SCREENS = {
  waiting: WaitingStep,
  check: CheckStep,
  practice: PracticeStep,
  ready: ReadyStep,
  resume: ResumeStep,
  finish: FinishStep,
};

/**
 * @typedef {object} Config  from the view, through json_script "room-config"
 * @property {string} token
 * @property {string} websocket_path
 * @property {string} link  the candidate's link, to continue on another device
 * @property {string} worklet_url
 * @property {MediaTrackConstraints} [microphone]  echoCancellation, noiseSuppression, autoGainControl
 * @property {boolean} [keep_audio]  see store.js
 * @property {boolean} [text_only]  an accommodation: answers are typed
 */

export class Room {
  /** @type {State|null} */ state = null;
  step = "";
  notice = ""; // one sentence for the next screen
  #view = null;
  #viewKey = "";
  #pending = null; // a command that the server may not have received
  #clockSkewMs = 0;
  #cameBack = null;
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
      wait: null,
    };
    this.player = new Player();
    this.connection = new Connection(config.websocket_path);
    this.takes = new Takes(this, config);
    this.recorder = this.takes.recorder;
    this.uploader = this.takes.uploader;
    this.recorder.onLost = (code) => this.#stumble(code);
    this.help = new Help(this);
  }

  async start() {
    await this.takes.openStore();
    this.connection.addEventListener("message", ({ detail }) => this.#receive(detail));
    this.connection.addEventListener("change", () => this.#connectionChanged());
    this.connection.addEventListener("over", ({ detail }) => this.#leave(detail));
    addEventListener("beforeunload", (event) => this.#hasUnsent() && event.preventDefault());
    addEventListener("pagehide", () => this.recorder.flush());
    document.addEventListener("visibilitychange", () => document.hidden && this.recorder.flush());
    this.connection.connect();
    setTimeout(() => this.#hasScreen || this.#stumble("server_error"), NO_ANSWER_MS);
    setInterval(() => this.#lookForMovement(), LOOK_MS);
  }

  /** Refreshes when an expected event was lost between the server's processes. */
  #lookForMovement() {
    const isInside = this.connection.isOpen && this.state && !this.local.wait;
    const isWaiting = isInside && isWaitingForServer(this.state, this.step, this.#pending);
    if (this.#patience.isOver(Boolean(isWaiting), performance.now())) this.connection.refresh();
  }

  // --- messages from the server ---------------------------------------------------------------------------------

  #receive(message) {
    const receive = {
      waiting: () => this.#wait(message),
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

  #wait({ place, estimate_s: estimateS }) {
    this.local.wait = { place, estimateS };
    this.#serverIsThere();
    this.render();
  }

  #snapshot({ session, answers, now }) {
    this.state = { session, answers };
    this.local.wait = null;
    this.#serverIsThere();
    this.#clockSkewMs = Date.parse(now) - Date.now();
    this.takes.forgetResumes();
    this.#stateChanged({ isWhole: true });
    if (this.#pending && !this.writtenAnswer(this.#pending.answer)) this.connection.send(this.#pending);
    this.uploader.catchUp();
  }

  #serverIsThere() {
    if (this.local.problem?.code === "server_error") this.local.problem = null;
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
    this.takes.settle({ isWhole });
    this.render();
    this.uploader.wake();
  }

  #resume(message) {
    this.takes.resumed(message);
    if (this.local.starting === message.answer) this.takes.record(message);
    else if (this.step === "resume") this.render();
  }

  #error({ code, offset }) {
    if (code === "gap") this.uploader.rewind(offset);
    else if (code === "slow_down") this.uploader.slowDown(offset);
    else if (code === "audio_missing") this.uploader.missing(offset);
    else if (code === "over_limit") this.connection.refresh(OVER_LIMIT_PAUSE_MS); // the server reads its row again
    else if (["wrong_state", "not_recording", "not_yours"].includes(code)) this.#startAfresh();
    else if (code === "bad_value" && this.#pending?.type === "type_answer") this.#refuseText();
    else console.warn("the server did not accept a message:", code);
  }

  /** Asks for a fresh snapshot, because this page's state is outdated. */
  #startAfresh() {
    this.#pending = null;
    this.local.starting = null;
    this.recorder.forget();
    this.connection.refresh();
  }

  #refuseText() {
    this.#pending = null;
    this.#view.refuseText?.();
  }

  #connectionChanged() {
    const { isOpen } = this.connection;
    if (!isOpen) this.uploader.disconnected();
    showConnection(isOpen, Boolean(this.takes.current));
    if (this.state) this.render();
  }

  /** Stops: another tab has the interview, or the link no longer works. */
  async #leave(code) {
    this.connection.close();
    await this.takes.close();
    this.#pending = null;
    this.local.inFlow = false;
    this.local.problem = { code };
    clearBanner();
    this.render();
  }

  async continueHere() {
    this.local.problem = null;
    await this.takes.openStore(); // the other tab may have recorded here
    this.connection.connect();
  }

  // --- actions of the candidate ---------------------------------------------------------------------------------

  /** Sends a command, and again after a reconnect if it is still wanted. */
  command(type, rest = {}) {
    this.#pending = { type, ...rest };
    this.#patience.moved(performance.now());
    if (this.writtenAnswer(rest.answer)) this.uploader.complete();
    else this.connection.send(this.#pending);
  }

  /**
   * The typed text that completes a partly spoken answer, whose audio must be sent first; null if there is none.
   * @param {string} answer
   */
  writtenAnswer(answer) {
    const isWritten = this.#pending?.type === "type_answer" && this.#pending.answer === answer;
    return isWritten && this.answer(answer)?.status === "recording" ? this.#pending : null;
  }

  /** Opens the microphone, after a click, and continues with the current answer. */
  async enterFlow() {
    if (!(await this.openMicrophone())) return;
    const answer = focusAnswer(this.state);
    if (this.step === "resume" && answer.status === "asked") this.#cameBack = { id: answer.id, atMs: this.serverNowMs };
    this.local.inFlow = true;
    if (answer.status === "recording" && !this.local.isWriting) await this.takes.goOn(answer);
    this.render();
  }

  /** @returns {Promise<boolean>} false: the screen shows a problem */
  async openMicrophone() {
    if (this.local.isWriting) return true;
    try {
      await this.takes.openMicrophone();
      return true;
    } catch (error) {
      console.warn("no microphone:", error.cause ?? error);
      this.#stumble(error.code);
      return false;
    }
  }

  #stumble(code) {
    this.local.problem = { code, kept: this.takes.current ? clock(this.takes.bytes / BYTES_PER_S) : "" };
    this.render();
  }

  /** @param {string} deviceId  also during an answer, which continues in the same recording */
  async useMicrophone(deviceId) {
    await this.takes.chooseMicrophone(deviceId);
    if (await this.openMicrophone()) this.takes.continueCurrent();
  }

  /** @param {string} deviceId  "" for the default one */
  async retryMicrophone(deviceId) {
    if (deviceId) await this.takes.chooseMicrophone(deviceId);
    this.local.problem = null;
    if (!(await this.openMicrophone())) return;
    const hasTake = this.takes.continueCurrent();
    if (!hasTake && this.state.session.status !== "checking") return this.enterFlow();
    this.render();
  }

  /** Switches to typed answers. */
  async write() {
    await this.takes.close();
    Object.assign(this.local, { isWriting: true, problem: null });
    if (this.state.session.status === "under_way") this.local.inFlow = true;
    else this.command("skip_practice"); // typing needs no practice
    this.render();
  }

  /** Notes that the question was played or read. */
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

  finishAnswer() {
    this.takes.finish();
  }

  /** @param {Answer} answer */
  async accept({ id }) {
    this.notice = "";
    this.local.inFlow = await this.openMicrophone();
    this.command("accept_answer", { answer: id });
  }

  // --- changes of the recordings --------------------------------------------------------------------------------

  /** More of the answer was stored on this device. */
  recorded() {
    if (this.step === "record") this.#view.update();
  }

  /** @param {boolean} isLimit  the time limit was reached */
  recordingEnded(isLimit) {
    this.notice = isLimit ? text("time-up") : "";
    this.render();
  }

  /** More has arrived at the server. */
  progressed() {
    if (this.step === "finish") this.#view.update();
  }

  // --- queries of the screens -----------------------------------------------------------------------------------

  get serverNowMs() {
    return Date.now() + this.#clockSkewMs;
  }

  /** When the candidate came back to this question, by the server's clock; null if they never left. */
  cameBackAtMs({ id }) {
    return this.#cameBack?.id === id ? this.#cameBack.atMs : null;
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

  /** @param {string} id @returns {Answer|undefined} */
  answer(id) {
    return this.state.answers.find((answer) => answer.id === id);
  }

  #hasUnsent() {
    return Boolean(this.takes.current) || (this.step === "saving" && !this.connection.isOpen);
  }

  // --- the screen -----------------------------------------------------------------------------------------------

  get #hasScreen() {
    return Boolean(this.state || this.local.problem || this.local.wait);
  }

  render() {
    if (!this.#hasScreen) return;
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
