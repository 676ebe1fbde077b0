// The transcript of an answer, updated as it arrives.

import { text } from "./screen.js";
import { noticeOf } from "../state.js";

/** @param {HTMLElement} element @param {Answer} answer @param {string} language  in which the candidate speaks */
export function showTranscript(element, { id, transcript, typed_text: typed }, language) {
  element.dataset.testid = `transcript-${id}`;
  element.hidden = !transcript && !typed;
  if (element.hidden) return;
  const notice = transcript && noticeOf(transcript);
  const content = typed ?? (notice ? text(notice) : transcript.text);
  if (element.textContent !== content) element.textContent = content;
  element.lang = notice ? document.documentElement.lang : language;
  element.classList.toggle("is-quiet", !typed && Boolean(notice));
}
