// The common part of both panels: named parts, figures, a state, and a place for errors.

import { hasText, text } from "../texts.js";

export const NOTHING = "–";

export class Panel {
  /** @param {HTMLElement} element */
  constructor(element) {
    this.element = element;
  }

  /** @param {string} name @returns {HTMLElement} */
  part(name) {
    return this.element.querySelector(`[data-part="${name}"]`);
  }

  /** @param {string} name @param {string} content */
  say(name, content) {
    const part = this.part(name);
    if (part.textContent !== content) part.textContent = content;
  }

  /**
   * Shows figures under their names; without values, all become unknown.
   * @param {Record<string, string>} [values]
   */
  figures(values) {
    for (const element of this.element.querySelectorAll("[data-figure]")) {
      const value = values ? values[element.dataset.figure] : NOTHING;
      if (value !== undefined) element.textContent = value || NOTHING;
    }
  }

  /** @param {"idle"|"busy"} state  while busy, only Stop can be pressed */
  set state(state) {
    this.element.dataset.state = state;
    const [usable, unusable] = (state === "busy" ? ["stop", "go"] : ["go", "stop"]).map((name) => this.part(name));
    usable.disabled = false;
    if (document.activeElement === unusable) usable.focus(); // a disabled button would lose the focus
    unusable.disabled = true;
  }

  /** Shows an error; without one, clears it. @param {{code: string, detail?: string}|null} problem */
  trouble(problem) {
    const place = this.part("trouble");
    if (!problem) return place.replaceChildren();
    const known = hasText(`trouble-${problem.code}`);
    const title = document.createElement("p");
    title.textContent = text(known ? `trouble-${problem.code}` : "trouble-other");
    place.replaceChildren(title);
    if (!problem.detail) return;
    const detail = document.createElement("p");
    detail.className = "quiet";
    detail.textContent = problem.detail; // the service's message names the field and the limit
    place.append(detail);
  }
}

/** Replaces the source of an audio element. @param {HTMLAudioElement} audio @param {Blob} blob */
export function load(audio, blob) {
  if (audio.src) URL.revokeObjectURL(audio.src);
  audio.src = URL.createObjectURL(blob);
}

/** Lets the user save a file under a name. @param {Blob} blob @param {string} name */
export function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
