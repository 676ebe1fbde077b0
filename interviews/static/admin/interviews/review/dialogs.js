// The dialogs of the review page: keys, a time to go to, and a correction.

import { parseTime } from "./timeline.js";

const dialog = (name) => document.querySelector(`[data-dialog=${name}]`);

for (const button of document.querySelectorAll("[data-close]")) {
  button.addEventListener("click", () => button.closest("dialog").close());
}

export function showHelp() {
  dialog("help").showModal();
}

/** @param {(time: number) => void} seek */
export function onGoTo(seek) {
  const form = document.querySelector("[data-goto]");
  const { time } = form.elements;
  time.addEventListener("input", () => time.setCustomValidity(""));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const seconds = parseTime(time.value);
    time.setCustomValidity(seconds === null ? time.dataset.wrong : "");
    if (!form.reportValidity()) return;
    form.closest("dialog").close();
    seek(seconds);
  });
}

export function askTime() {
  const form = document.querySelector("[data-goto]");
  form.reset();
  dialog("goto").showModal();
}

const correction = document.querySelector("[data-correction]");

/**
 * Ask what was said instead of some words. `closeCorrection` ends it.
 * @param {{first: string, last: string, text: string}} words
 * @param {string} version  of the transcript that they are of
 * @param {(fields: FormData) => Promise<string>} send  its answer is why it was refused, or ""
 */
export function askCorrection(words, version, send) {
  correction.reset();
  const { first_word: first, last_word: last, text } = correction.elements;
  correction.elements.version.value = version;
  [first.value, last.value, text.value] = [words.first, words.last, words.text];
  correction.querySelector("[data-said-before]").textContent = words.text;
  correction.querySelector("[data-refused]").textContent = "";
  correction.onsubmit = async (event) => {
    event.preventDefault();
    correction.querySelector("[data-refused]").textContent = await send(new FormData(correction));
  };
  dialog("correct").showModal();
  text.select();
}

/** Before the words change: the focus goes back to the page, and can be put on them. */
export function closeCorrection() {
  dialog("correct").close();
}

/** The fields of a correction that restores words. */
export function restoring(first, last, version) {
  const fields = new FormData();
  fields.set("csrfmiddlewaretoken", correction.elements.csrfmiddlewaretoken.value);
  fields.set("first_word", first);
  fields.set("last_word", last);
  fields.set("version", version);
  fields.set("is_restored", "on");
  return fields;
}

// In a text of one line Enter saves; Shift+Enter is not needed, for a correction has no lines.
correction.elements.text.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.isComposing) return;
  event.preventDefault();
  correction.requestSubmit();
});
