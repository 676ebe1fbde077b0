// The words of an answer on the page.

import { wordAt } from "./timeline.js";

export class Transcript {
  #shown = -1;

  /** @param {HTMLElement} article  [data-answer] */
  constructor(article) {
    this.article = article;
    this.position = Number(article.dataset.answer);
    this.version = article.dataset.version ?? "";
    this.isUnreliable = article.classList.contains("ip-unreliable");
    this.words = [...article.querySelectorAll("[data-start]")].map((span) => ({
      span,
      start: Number(span.dataset.start),
      end: Number(span.dataset.end),
    }));
  }

  /** Light the word that is heard at `time`; -1 lights none. */
  light(time) {
    const index = time < 0 ? -1 : wordAt(this.words, time + 0.001);
    if (index === this.#shown) return;
    const before = this.words[this.#shown]?.span;
    const word = this.words[index]?.span;
    const isFollowed = before && isInView(before);
    before?.classList.remove("ip-current");
    word?.classList.add("ip-current");
    if (isFollowed) word?.scrollIntoView({ block: "nearest" }); // not for those who have scrolled elsewhere
    this.#shown = index;
  }

  /** The word that has the cursor: the focus, or the one that is lit. -1 without one. */
  get cursor() {
    const focused = this.words.findIndex(({ span }) => span === document.activeElement);
    return focused < 0 ? this.#shown : focused;
  }

  /** Put the cursor on a word, or on the answer if it has none there. */
  focus(index = this.#shown) {
    const target = this.words[index]?.span ?? this.article;
    target.focus({ preventScroll: true });
    target.scrollIntoView({ block: "nearest" });
  }

  /** The words that are selected, else the word at the cursor: {first, last, text}, or null. */
  get chosen() {
    const selection = window.getSelection();
    const selected = this.words.filter(({ span }) => !selection.isCollapsed && selection.containsNode(span, true));
    const spans = (selected.length ? selected : [this.words[this.cursor]]).filter(Boolean).map(({ span }) => span);
    if (!spans.length) return null;
    const range = document.createRange();
    range.setStartBefore(spans[0]);
    range.setEndAfter(spans.at(-1));
    return { first: spans[0].dataset.first, last: spans.at(-1).dataset.last, text: range.toString() };
  }
}

function isInView(element) {
  const { top, bottom } = element.getBoundingClientRect();
  return bottom > 0 && top < window.innerHeight;
}
