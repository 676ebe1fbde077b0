// The page's screens and texts come from <template> elements, so that the server translates them.

const texts = new Map(
  Array.from(document.getElementById("texts").content.querySelectorAll("[data-text]"), (element) => [
    element.dataset.text,
    element.textContent.trim(),
  ]),
);

/** @param {string} name @param {Record<string, string|number>} [values]  for the {names} in it */
export const text = (name, values = {}) =>
  (texts.get(name) ?? name).replace(/\{(\w+)\}/g, (_, key) => values[key] ?? "");

/** @param {string} name  texts name-one and name-other exist @param {number} n */
export function plural(name, n) {
  const form = new Intl.PluralRules(document.documentElement.lang || "en").select(n);
  return text(texts.has(`${name}-${form}`) ? `${name}-${form}` : `${name}-other`, { n });
}

/** Says something to a screen reader without moving the focus. @param {string} message */
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

  /** @param {string} name @param {string} content  nothing: the part is hidden */
  say(name, content) {
    const part = this.part(name);
    part.hidden = !content;
    if (part.textContent !== content) part.textContent = content;
  }

  /** @param {string} name @param {() => void} action */
  on(name, action) {
    this.part(name).addEventListener("click", action);
  }

  /** Shows only what belongs to this phase (`data-in`). @param {string} phase */
  phase(phase) {
    for (const element of this.element.querySelectorAll("[data-in]")) {
      element.hidden = !element.dataset.in.split(" ").includes(phase);
    }
  }

  /** Moves a screen reader (and the tab order) to where reading starts. @param {string} name */
  focus(name = "heading") {
    if (document.querySelector("dialog[open]")) return;
    this.part(name).focus({ preventScroll: true });
    scrollTo(0, 0);
  }
}
