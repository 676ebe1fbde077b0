// The screens between questions: before the practice, before the first question, after a reload.

import { BYTES_PER_S } from "../audio/wire.js";
import { clock } from "./countdown.js";
import { plural, Screen, text } from "./screen.js";
import { focusAnswer, mainQuestions } from "../state.js";
import { showTranscript } from "./transcript.js";

export class PracticeStep {
  /** @param {Room} room */
  constructor(room) {
    this.screen = new Screen("practice");
    this.screen.on("begin", () => room.enterFlow());
    this.screen.on("skip", () => room.command("skip_practice"));
    this.screen.focus();
  }

  update() {}

  leave() {}
}

export class ReadyStep {
  /** @param {Room} room */
  constructor(room) {
    this.room = room;
    this.screen = new Screen("ready");
    this.screen.say("count", plural("questions", mainQuestions(room.state).length));
    this.screen.on("begin", () => room.enterFlow());
    this.update();
    this.screen.focus();
  }

  update() {
    const practice = this.room.state.answers.find(({ kind }) => kind === "practice");
    this.screen.phase(this.room.isWriting ? "written" : "spoken");
    this.screen.part("heard").hidden = !practice?.transcript;
    if (practice?.transcript) showTranscript(this.screen.part("transcript"), practice, this.room.state.session.language);
  }

  leave() {}
}

export class ResumeStep {
  /** @param {Room} room */
  constructor(room) {
    this.room = room;
    this.screen = new Screen("resume");
    this.screen.on("continue", () => room.enterFlow());
    this.update();
    this.screen.focus();
  }

  async update() {
    const answer = focusAnswer(this.room.state);
    if (!answer) return;
    const isRecording = answer.status === "recording";
    const name = answer.kind === "practice" ? text("the-practice") : text("question-n", { n: answer.position });
    const bytes = isRecording ? await this.room.takes.safeBytes(answer) : 0;
    this.screen.say("safe", text(resumeText(answer, bytes), { name, time: clock((bytes ?? 0) / BYTES_PER_S) }));
    this.screen.part("continue").textContent = text(isRecording ? "continue-answer" : "continue");
    this.screen.part("continue").disabled = bytes === null;
  }

  leave() {}
}

const resumeText = ({ status }, bytes) => {
  if (status === "recording") return bytes ? "resume-recording" : "resume-empty";
  return status === "asked" ? "resume-asked" : "resume-next";
};
