// The last screen: thanks, and the answers still being uploaded.

import { Screen, text } from "./screen.js";
import { arrivalOf, mainQuestions, questions, unstored } from "../state.js";
import { showTranscript } from "./transcript.js";

export class FinishStep {
  #wasSaved = null;

  /** @param {Room} room */
  constructor(room) {
    this.room = room;
    room.microphone.close();
    this.screen = new Screen("finish");
    const name = room.state.session.candidate_name;
    this.screen.part("heading").textContent = name ? text("thank-you-name", { name }) : text("thank-you");
    if (room.closingText) this.screen.part("closing").textContent = room.closingText;
    this.screen.part("heard").href = room.heardPath;
    if (room.groupsPath) this.screen.part("groups-link").href = room.groupsPath;
    else this.screen.part("groups").remove();
    this.rows = questions(room.state).map((answer) => this.#row(answer));
    this.update();
    this.screen.focus();
  }

  get #total() {
    return mainQuestions(this.room.state).length;
  }

  #row(answer) {
    const list = this.screen.part("answers");
    const row = list.querySelector("template").content.firstElementChild.cloneNode(true);
    const question = row.querySelector("[data-part=asked]");
    question.textContent = answer.question ?? text("position", { n: answer.position, total: this.#total });
    question.lang = this.room.state.session.language;
    list.append(row);
    return { id: answer.id, row };
  }

  update() {
    const waiting = unstored(this.room.state);
    const isSaved = waiting.length === 0;
    if (isSaved !== this.#wasSaved) {
      this.#wasSaved = isSaved;
      this.screen.element.dataset.saved = isSaved;
      this.screen.phase(isSaved ? "saved" : "saving");
      const isFinished = this.room.state.session.status === "finished";
      this.screen.part("correcting").hidden = !(isSaved && isFinished && this.room.heardPath);
      this.screen.say("status", text(isSaved ? "all-saved" : "saving-last"));
    }
    this.screen.part("progress").value = this.room.uploader.share;
    for (const { id, row } of this.rows) this.#updateRow(row, this.room.state.answers.find((a) => a.id === id));
  }

  #updateRow(row, answer) {
    row.querySelector("[data-part=state]").textContent = text(arrivalOf(answer));
    showTranscript(row.querySelector("[data-part=transcript]"), answer, this.room.state.session.language);
  }

  leave() {}
}
