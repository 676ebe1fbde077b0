// The command that the server may not have received. It is sent again until it is done or no longer wanted.

import { isStillWanted } from "./state.js";

export class Commands {
  /** @type {Command|null} */ pending = null;

  /** @param {Room} room */
  constructor(room) {
    this.room = room;
  }

  /** @param {string} type @param {object} rest  further fields */
  send(type, rest) {
    this.pending = { type, ...rest };
    if (this.writtenAnswer(rest.answer)) this.room.uploader.complete();
    else this.room.connection.send(this.pending);
  }

  /** The page has connected again. */
  sendAgain() {
    if (this.pending && !this.writtenAnswer(this.pending.answer)) this.room.connection.send(this.pending);
  }

  /** The server's state has changed: forget a command that it has done or will not do. */
  settle() {
    if (this.pending && !isStillWanted(this.room.state, this.pending)) this.forget();
  }

  forget() {
    this.pending = null;
  }

  /**
   * The command that completes a partly spoken answer with text; null if there is none. Its audio is sent first.
   * @param {string} answer
   */
  writtenAnswer(answer) {
    const isWritten = this.pending?.type === "type_answer" && this.pending.answer === answer;
    return isWritten && this.room.answer(answer)?.status === "recording" ? this.pending : null;
  }
}
