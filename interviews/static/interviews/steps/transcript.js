// "What we heard": the transcript of an answer as it becomes known.

import { text } from "../screen.js";

/** @param {HTMLElement} element @param {Answer} answer */
export function showTranscript(element, { id, transcript, typed_text: typed }) {
  element.dataset.testid = `transcript-${id}`;
  element.hidden = !transcript && !typed;
  if (element.hidden) return;
  const content = typed ?? (transcript.status === "done" ? transcript.text : text(`transcript-${transcript.status}`));
  if (element.textContent !== content) element.textContent = content;
  element.classList.toggle("is-quiet", !typed && transcript.status !== "done");
}
