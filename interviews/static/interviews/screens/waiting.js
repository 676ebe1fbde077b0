// The waiting room: place, estimated time, and that there is nothing to do. The microphone is off.

import { announce, plural, Screen, text } from "./screen.js";
import { estimateText, Herald } from "./waiting_times.js";

export class WaitingStep {
  #title = document.title;

  /** @param {Room} room */
  constructor(room) {
    this.room = room;
    room.microphone.close();
    this.screen = new Screen("waiting");
    this.herald = new Herald(this.#show(), performance.now());
    this.screen.focus();
  }

  /** @returns {string} the shown place and time as a sentence */
  #show() {
    const { place, estimateS } = this.room.local.wait;
    const { name, n } = estimateText(estimateS);
    const time = name === "wait-minutes" ? plural(name, n) : text(name);
    this.screen.say("place", String(place));
    this.screen.say("estimate", time);
    document.title = `${place} · ${this.#title}`; // visible from another tab too
    return text("wait-aloud", { place, time });
  }

  update() {
    const sentence = this.#show();
    if (this.herald.isToSay(sentence, performance.now())) announce(sentence);
  }

  leave() {
    document.title = this.#title;
    if (this.room.local.wait) return; // another screen interrupted the wait
    announce(text("let-in"));
    if (document.hidden) this.#call();
  }

  /** Notifies a candidate who is looking at another tab. */
  #call() {
    document.title = text("let-in");
    document.addEventListener("visibilitychange", () => (document.title = this.#title), { once: true });
  }
}
