// Asks in the middle of an answer whether to move on. A countdown moves on only where a voice was heard.

import { Countdown } from "./countdown.js";
import { announce, plural, text } from "./screen.js";

const MOVE_ON_S = 5;

export class Prompt {
  #countdown = null;

  /** @param {Screen} screen */
  constructor(screen) {
    this.screen = screen;
  }

  /** Waits for the candidate. @param {string} question @param {string} hint  names of texts */
  ask(question, hint) {
    this.screen.say("prompt-question", text(question));
    this.screen.say("moving-on", text(hint));
    this.#show(true);
    announce(`${text(question)} ${text(hint)}`);
  }

  /** Moves on by itself. @param {() => void} moveOn */
  countDown(moveOn) {
    this.ask("anything-to-add", "otherwise-move-on");
    this.#countdown = new Countdown(MOVE_ON_S, {
      tick: (left) => this.screen.say("moving-on", plural("moving-on", left)),
      done: moveOn,
    });
  }

  hide() {
    this.#show(false);
  }

  /** Swaps the main button, and moves the keyboard focus with it. */
  #show(isShown) {
    this.#countdown?.stop();
    const [prompt, done] = [this.screen.part("prompt"), this.screen.part("done")];
    const hadFocus = (isShown ? done : prompt).contains(document.activeElement);
    prompt.hidden = !isShown;
    done.hidden = isShown;
    if (hadFocus) (isShown ? this.screen.part("move-on") : done).focus();
  }
}
