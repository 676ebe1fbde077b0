// Keys of the review page. A control that has the focus keeps those it needs itself.

const KEPT = "review.keys";

/** What a key does, by its name. */
const KEYS = {
  " ": "toggle", ArrowLeft: "back", ArrowRight: "forward", ",": "previousWord", ".": "nextWord",
  ArrowUp: "previousAnswer", ArrowDown: "nextAnswer", k: "previousAnswer", j: "nextAnswer",
  "[": "slower", "]": "faster", s: "skip", l: "copy", e: "correct", p: "before", n: "after", "?": "help",
};
const OF_CONTROLS = new Set([" ", "ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"]);
const CONTROLS = "a, button, summary, select, [role=button], [role=menuitem]";
const WRITING = "input, textarea, select, [contenteditable]";

/**
 * The name of what a key does now; undefined if it is not ours.
 * @param {{key: string, ctrlKey: boolean, metaKey: boolean, altKey: boolean}} event
 * @param {{isWriting: boolean, isControl: boolean, areOn: boolean}} where  the focus, and whether single keys work
 */
export function nameOf(event, { isWriting, isControl, areOn }) {
  if (isWriting || event.altKey) return undefined;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (event.ctrlKey || event.metaKey) return key === "g" ? "goto" : undefined;
  if (!areOn || (isControl && OF_CONTROLS.has(key))) return undefined;
  return KEYS[key];
}

/**
 * @param {HTMLInputElement} keysSwitch  turns single keys off, for those who speak to their computer (WCAG 2.1.4)
 * @param {Record<string, () => void>} does
 */
export function listen(keysSwitch, does) {
  keysSwitch.checked = localStorage.getItem(KEPT) !== "off";
  keysSwitch.addEventListener("change", () => localStorage.setItem(KEPT, keysSwitch.checked ? "on" : "off"));
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
    const where = {
      isWriting: Boolean(event.target.closest?.(WRITING)),
      isControl: Boolean(event.target.closest?.(CONTROLS)),
      areOn: keysSwitch.checked,
    };
    const name = nameOf(event, where);
    if (!name) return;
    event.preventDefault();
    does[name]();
  });
}
