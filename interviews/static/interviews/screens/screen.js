// Screens of the page, from <template> elements, so that the server translates them.

export { plural, text } from "../../voice/texts.js";

/** Announces a message to a screen reader without moving the focus. @param {string} message */
export function announce(message) {
  document.getElementById("announcement").textContent = message;
}

/** A screen made from its template. */
export class Screen {
  /** @param {string} name */
  constructor(name) {
    this.element = document.getElementById(`screen-${name}`).content.firstElementChild.cloneNode(true);
    document.getElementById("stage").replaceChildren(this.element);
  }

  /** @param {string} name @returns {HTMLElement} */
  part(name) {
    return this.element.querySelector(`[data-part="${name}"]`);
  }

  /** @param {string} name @param {string} content  "" hides the part */
  say(name, content) {
    const part = this.part(name);
    part.hidden = !content;
    if (part.textContent !== content) part.textContent = content;
  }

  /** @param {string} name @param {() => void} action */
  on(name, action) {
    this.part(name).addEventListener("click", action);
  }

  /** Shows only the elements of this phase (`data-in`). @param {string} phase */
  phase(phase) {
    for (const element of this.element.querySelectorAll("[data-in]")) {
      element.hidden = !element.dataset.in.split(" ").includes(phase);
    }
  }

  /** Moves the focus to where a screen reader should start. @param {string} name */
  focus(name = "heading") {
    if (document.querySelector("dialog[open]")) return;
    this.part(name).focus({ preventScroll: true });
    scrollTo(0, 0);
  }
}
