// The interview room: what the candidate does, and what that means for recordings, screens and the server.
// What the server says is in inbox.js; which screen is shown, in screens/stage.js.

import { Microphone } from "./audio/microphone.js";
import { Player } from "./audio/player.js";
import { Takes } from "./audio/takes.js";
import { BYTES_PER_S } from "./audio/wire.js";
import { Commands } from "./commands.js";
import { Connection } from "./connection.js";
import { Inbox } from "./inbox.js";
import { PageFacts } from "./page-facts.js";
import { Patience } from "./patience.js";
import { clock } from "./screens/countdown.js";
import { Help } from "./screens/help.js";
import { announce, text } from "./screens/screen.js";
import { Stage } from "./screens/stage.js";
import { clearBanner, showConnection, showProgress } from "./screens/surroundings.js";
import {
  focusAnswer, isWaitingForServer, isWritten, mainQuestions, questions, skipsPractice, stepOf,
} from "./state.js";

const NO_ANSWER_MS = 15_000;
const LOOK_MS = 1_000; // how often the page looks whether anything moves

/**
 * @typedef {object} Config  from the view, through json_script "room-config"
 * @property {string} token  of the link that opened the page
 * @property {string} store  the name of the interview's recordings on this device, whichever link opens it
 * @property {string} websocket_path
 * @property {string} closing_text  for the last screen; "" for a standard one
 * @property {string} heard  address of the page where the candidate corrects what was heard; "" if there is none
 * @property {string} groups_path  of the voluntary question after the interview; "" if none is asked
 * @property {string} link  the candidate's link, to continue on another device
 * @property {string} worklet_url
 * @property {MediaTrackConstraints} [microphone]  echoCancellation, noiseSuppression, autoGainControl
 * @property {boolean} [keep_audio]  see store.js
 * @property {number} [audio_kept_s]  how long stored audio stays on this device
 */

export class Room {
  /** @type {State|null} */ state = null;
  step = "";
  notice = ""; // one sentence for the next screen
  patience = new Patience();
  #cameBack = null;

  /** @param {Config} config @param {HTMLElement} element */
  constructor(config, element) {
    this.element = element;
    this.link = config.link;
    this.closingText = config.closing_text;
    this.heardPath = config.heard;
    this.groupsPath = config.groups_path;
    this.local = {
      inFlow: false,
      isWriting: false,
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
    this.recorder.onLost = this.recorder.onTrouble = (code) => this.stumble(code);
    this.recorder.onWell = () => this.#recover();
    this.microphone = new Microphone(this);
    this.commands = new Commands(this);
    this.inbox = new Inbox(this);
    this.pageFacts = new PageFacts(this, document, window);
    this.stage = new Stage(this);
    this.help = new Help(this);
  }

  async start() {
    await this.takes.openStore();
    this.connection.addEventListener("message", ({ detail }) => this.inbox.receive(detail));
    this.connection.addEventListener("change", () => this.#connectionChanged());
    this.connection.addEventListener("over", ({ detail }) => this.leave(detail));
    addEventListener("beforeunload", (event) => this.#hasUnsent() && event.preventDefault());
    addEventListener("pagehide", () => this.#flush());
    document.addEventListener("visibilitychange", () => document.hidden && this.#flush());
    this.connection.connect();
    setTimeout(() => this.#hasScreen || this.stumble("server_error"), NO_ANSWER_MS);
    setInterval(() => this.#lookForMovement(), LOOK_MS);
  }

  /** Nothing of the answer waits to be stored or sent: the page may be closed at any moment. */
  #flush() {
    this.recorder.flush();
    this.uploader.hurry();
  }

  /** Refreshes when an expected event was lost between the server's processes. */
  #lookForMovement() {
    const isInside = this.connection.isOpen && this.state && !this.local.wait;
    const isWaiting = isInside && isWaitingForServer(this.state, this.step, this.commands.pending);
    if (this.patience.isOver(Boolean(isWaiting), performance.now())) this.connection.refresh();
  }

  // --- the connection -------------------------------------------------------------------------------------------

  #connectionChanged() {
    const { isOpen } = this.connection;
    if (!isOpen) this.uploader.disconnected();
    showConnection(isOpen, Boolean(this.takes.current));
    if (this.state) this.render();
  }

  /** Another tab has the interview, or the link no longer works. */
  async leave(code) {
    this.connection.close();
    await this.takes.close();
    this.commands.forget();
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
    this.patience.moved(performance.now());
    this.commands.send(type, rest);
  }

  /** Opens the microphone, after a click, and continues with the current answer. */
  async enterFlow() {
    if (!(await this.microphone.open())) return;
    const answer = focusAnswer(this.state);
    if (this.step === "resume" && answer.status === "asked") {
      this.#cameBack = { id: answer.id, atMs: this.inbox.serverNowMs };
    }
    this.local.inFlow = true;
    if (answer.status === "recording" && !this.isWriting) await this.takes.goOn(answer);
    this.render();
  }

  /** Something is in the way of going on. @param {string} code */
  stumble(code) {
    this.local.problem = { code, kept: this.takes.current ? clock(this.takes.bytes / BYTES_PER_S) : "" };
    this.render();
  }

  /** The microphone works again: what the candidate was doing goes on by itself. */
  #recover() {
    this.local.problem = null;
    announce(text("microphone-back"));
    this.render();
  }

  /** Answers are written from now on. */
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

  /** The question is put once more, because nothing was heard. */
  hearAgain() {
    this.local.heard = null;
    this.notice = "";
  }

  /** The candidate has the question played once more. It is only counted, so it is not sent again. */
  tellHeardAgain({ id }) {
    this.connection.send({ type: "hear_again", answer: id });
  }

  /** The candidate writes this answer: the server's clock does not run. */
  writes() {
    this.connection.send({ type: "writing", answer: focusAnswer(this.state).id });
  }

  begin({ id }) {
    this.#startWith("begin_answer", id);
  }

  async retake({ id }) {
    if (!(await this.microphone.open())) return;
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
    this.local.inFlow = await this.microphone.open();
    this.command("accept_answer", { answer: id });
  }

  // --- changes of the recordings --------------------------------------------------------------------------------

  /** More of the answer was stored on this device. */
  recorded() {
    if (this.step === "record") this.stage.update();
  }

  /** @param {boolean} isLimit  the time limit was reached */
  recordingEnded(isLimit) {
    this.notice = isLimit ? text("time-up") : "";
    this.render();
  }

  /** More has arrived at the server. */
  progressed() {
    if (this.step === "finish") this.stage.update();
  }

  /** Something else was arranged for the candidate, in the middle of the interview. */
  accommodated() {
    announce(text("accommodated"));
    this.stage.note(text("accommodated"));
  }

  // --- queries of the screens -----------------------------------------------------------------------------------

  /** When the candidate came back to this question, by the server's clock; null if never away. */
  cameBackAtMs({ id }) {
    return this.#cameBack?.id === id ? this.#cameBack.atMs : null;
  }

  /** Whether answers are written: the candidate chose to, or it was arranged. */
  get isWriting() {
    return this.local.isWriting || isWritten(this.state);
  }

  takeNotice() {
    const { notice } = this;
    this.notice = "";
    return notice;
  }

  isLast({ id, kind }) {
    const others = questions(this.state).filter((other) => other.id !== id);
    return kind !== "practice" && others.every(({ status }) => status === "accepted");
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
    document.documentElement.classList.toggle("large-text", Boolean(this.state?.session.accommodation?.has_large_text));
    const answer = this.state && focusAnswer(this.state);
    this.stage.show(this.step, answer);
    showProgress(this.state?.session.status === "under_way" ? mainQuestions(this.state) : [], answer);
    if (this.step === "wait") this.#goOn(answer);
  }

  /** Does what needs no button: skips a practice that is not needed, and asks the next question. */
  #goOn(answer) {
    const isSent = (type) => this.commands.pending?.type === type;
    if (skipsPractice(this.state)) isSent("skip_practice") || this.command("skip_practice");
    else if (answer?.status === "pending" && !isSent("ask")) this.command("ask", { answer: answer.id });
  }
}

const element = document.getElementById("room");
const config = JSON.parse(document.getElementById("room-config").textContent);
new Room({ ...config, worklet_url: element.dataset.worklet }, element).start();
