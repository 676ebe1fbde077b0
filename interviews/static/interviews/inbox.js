// Messages of the server. Each goes to the state, the recordings or the screen.

import { OVER_LIMIT_PAUSE_MS } from "./audio/uploader.js";
import { apply, newsOf } from "./state.js";

export class Inbox {
  #clockSkewMs = 0;

  /** @param {Room} room */
  constructor(room) {
    this.room = room;
  }

  /** The server's clock, ms since the epoch. */
  get serverNowMs() {
    return Date.now() + this.#clockSkewMs;
  }

  /** @param {object} message */
  receive(message) {
    const { room } = this;
    const receive = {
      waiting: () => this.#wait(message),
      snapshot: () => this.#snapshot(message),
      event: () => this.#event(message),
      resume: () => this.#resume(message),
      ack: () => room.uploader.acked(message.offset),
      hear: () => room.takes.hear(message),
      frames: () => room.uploader.useFrames(message.ms),
      error: () => this.#error(message),
      taken_over: () => room.leave("taken_over"),
    }[message.type];
    if (receive) room.patience.moved(performance.now());
    if (receive) receive();
    else room.stage.tell(message);
  }

  #wait({ place, estimate_s: estimateS }) {
    this.room.local.wait = { place, estimateS };
    this.#serverIsThere();
    this.room.render();
  }

  #snapshot({ session, answers, now }) {
    const { room } = this;
    room.state = { session, answers };
    room.local.wait = null;
    this.#serverIsThere();
    this.#clockSkewMs = Date.parse(now) - Date.now();
    room.takes.forgetResumes();
    this.#stateChanged({ isWhole: true });
    room.commands.sendAgain();
    room.uploader.catchUp();
    if (room.step === "write") room.writes();
  }

  #serverIsThere() {
    const { local } = this.room;
    if (local.problem?.code === "server_error") local.problem = null;
  }

  #event({ session, answer }) {
    const { room } = this;
    if (!room.state) return;
    const { status, accommodation } = room.state.session;
    const before = answer && room.answer(answer.id);
    room.state = apply(room.state, { session, answer });
    if (room.state.session.status !== status) room.local.inFlow = false;
    const news = before && newsOf(before, room.answer(answer.id), room.local);
    if (news === "asked-again") room.hearAgain();
    this.#stateChanged({ isWhole: false });
    if (JSON.stringify(room.state.session.accommodation) !== JSON.stringify(accommodation)) room.accommodated();
    if (news === "begun-by-server") room.uploader.catchUp(); // and so learn where to go on
  }

  #stateChanged({ isWhole }) {
    const { room } = this;
    room.commands.settle();
    room.takes.settle({ isWhole });
    room.render();
    room.uploader.wake();
    room.pageFacts.follow({ isWhole });
  }

  #resume(message) {
    const { room } = this;
    room.takes.resumed(message);
    if (room.local.starting === message.answer) room.takes.record(message);
    else if (room.step === "resume") room.render();
  }

  #error({ code, offset }) {
    const { commands, connection, uploader } = this.room;
    if (code === "gap") uploader.rewind(offset);
    else if (code === "slow_down") uploader.slowDown(offset);
    else if (code === "audio_missing") uploader.missing(offset);
    else if (code === "over_limit") connection.refresh(OVER_LIMIT_PAUSE_MS); // the server reads its row again
    else if (["wrong_state", "not_recording", "not_yours"].includes(code)) this.#startAfresh();
    else if (code === "bad_value" && commands.pending?.type === "type_answer") this.#refuseText();
    else console.warn("the server did not accept a message:", code);
  }

  /** The page's state was out of date: ask for a new snapshot. */
  #startAfresh() {
    const { room } = this;
    room.commands.forget();
    room.local.starting = null;
    room.recorder.forget();
    room.connection.refresh();
  }

  #refuseText() {
    this.room.commands.forget();
    this.room.stage.refuseText();
  }
}
