// The one command that the server may not have got: it is sent again until it is not wanted any more.

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

  /** The page is connected anew. */
  sendAgain() {
    if (this.pending && !this.writtenAnswer(this.pending.answer)) this.room.connection.send(this.pending);
  }

  /** The server's state has changed: what it has done, or will not do any more, is forgotten. */
  settle() {
    if (this.pending && !isStillWanted(this.room.state, this.pending)) this.forget();
  }

  forget() {
    this.pending = null;
  }

  /**
   * The text that completes an answer spoken in part, whose audio is to be delivered first; null if there is none.
   * @param {string} answer
   */
  writtenAnswer(answer) {
    const isWritten = this.pending?.type === "type_answer" && this.pending.answer === answer;
    return isWritten && this.room.answer(answer)?.status === "recording" ? this.pending : null;
  }
}
