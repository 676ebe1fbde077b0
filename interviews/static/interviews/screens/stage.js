// Which screen is shown: one for each step, and one for each problem and each question.

import { CheckStep } from "./check.js";
import { FinishStep } from "./finish.js";
import { PracticeStep, ReadyStep, ResumeStep } from "./pause.js";
import { ProblemStep } from "./problem.js";
import { QuestionStep } from "./question.js";
import { WaitingStep } from "./waiting.js";

const SCREENS = {
  waiting: WaitingStep,
  check: CheckStep,
  practice: PracticeStep,
  ready: ReadyStep,
  resume: ResumeStep,
  finish: FinishStep,
};

export class Stage {
  #screen = null;
  #key = ""; // a screen stays while its key does

  /** @param {Room} room */
  constructor(room) {
    this.room = room;
  }

  /** @param {string} step  see stepOf @param {Answer|null} answer  the candidate is at */
  show(step, answer) {
    const key = SCREENS[step] ? step : step === "problem" ? this.room.local.problem.code : (answer?.id ?? "");
    if (key === this.#key) this.#screen.update();
    else this.#change(step, key, answer);
  }

  #change(step, key, answer) {
    this.#screen?.leave();
    this.#key = key;
    if (SCREENS[step]) this.#screen = new SCREENS[step](this.room);
    else if (step === "problem") this.#screen = new ProblemStep(this.room, this.room.local.problem);
    else this.#screen = new QuestionStep(this.room, answer);
  }

  /** Something that the screen shows has changed. */
  update() {
    this.#screen.update();
  }

  /** @param {object} message  of the server, for the screen alone: a caption or a turn */
  tell(message) {
    this.#screen?.message?.(message);
  }

  /** @param {string} message  for the candidate, beside what the screen says */
  note(message) {
    this.#screen?.note?.(message);
  }

  /** The server will not have the written answer as it is. */
  refuseText() {
    this.#screen.refuseText?.();
  }
}
