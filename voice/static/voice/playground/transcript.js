// A transcript whose words can be focused: each shows its time and confidence, and plays from there.

import { text } from "../texts.js";

export const UNSURE_BELOW = 0.6;

export class Transcript {
  #words = []; // {element, word}

  /**
   * @param {HTMLElement} element
   * @param {import("./figures.js").Figures} figures
   * @param {{shown: (sentence: string) => void, chosen: (seconds: number) => void}} on
   */
  constructor(element, figures, on) {
    this.element = element;
    this.figures = figures;
    this.on = on;
    element.addEventListener("keydown", (event) => this.#move(event));
    element.addEventListener("focusin", ({ target }) => this.#show(target));
    element.addEventListener("pointerover", ({ target }) => this.#show(target));
    element.addEventListener("click", ({ target }) => this.#choose(target));
  }

  clear() {
    this.#words = [];
    this.element.replaceChildren();
    this.on.shown("");
  }

  /** @param {{text: string, words?: {word: string, start: number, end: number, confidence: number}[]}} segment */
  add({ text: sentence, words }) {
    const paragraph = document.createElement("p");
    paragraph.dir = "auto";
    if (words?.length) words.forEach((word) => paragraph.append(this.#button(word), " "));
    else paragraph.textContent = sentence;
    this.element.append(paragraph);
  }

  #button(word) {
    const element = document.createElement("button");
    element.type = "button";
    element.className = "word";
    element.textContent = word.word.trim();
    element.title = text("word-title", this.#facts(word));
    element.tabIndex = this.#words.length ? -1 : 0; // Tab stops once; the arrows move between words
    if (word.confidence < UNSURE_BELOW) {
      element.classList.add("is-unsure");
      const note = document.createElement("span");
      note.className = "visually-hidden";
      note.textContent = ` ${text("unsure")}`;
      element.append(note);
    }
    this.#words.push({ element, word });
    return element;
  }

  #facts({ start, end, confidence }) {
    const { figures } = this;
    return { start: figures.time(start), end: figures.time(end), confidence: figures.percent(confidence) };
  }

  #found(target) {
    return this.#words.find(({ element }) => element === target.closest?.(".word"));
  }

  #show(target) {
    const found = this.#found(target);
    if (found) this.on.shown(text("word", { word: found.word.word.trim(), ...this.#facts(found.word) }));
  }

  #choose(target) {
    const found = this.#found(target);
    if (found) this.on.chosen(found.word.start);
  }

  #move(event) {
    const at = this.#words.findIndex(({ element }) => element === document.activeElement);
    const last = this.#words.length - 1;
    const isRtl = getComputedStyle(this.element).direction === "rtl";
    const step = { ArrowRight: isRtl ? -1 : 1, ArrowLeft: isRtl ? 1 : -1, Home: -last, End: last }[event.key];
    if (at < 0 || !step) return;
    event.preventDefault();
    const next = this.#words[Math.max(0, Math.min(last, at + step))].element;
    this.#words[at].element.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }
}
