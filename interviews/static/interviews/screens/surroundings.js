// What stands around the screen: the progress dots, and the banner that says how the connection is.

import { announce, text } from "./screen.js";

const BANNER_AFTER_MS = 3_000; // shorter than this, nobody need know: recording goes on
const MOST_DOTS = 12;

let timer = 0;

/** @param {boolean} isOpen @param {boolean} isRecording */
export function showConnection(isOpen, isRecording) {
  if (!isOpen) {
    timer ||= setTimeout(() => banner(text(isRecording ? "lost-recording" : "lost")), BANNER_AFTER_MS);
    return;
  }
  clearBanner();
}

/** Takes the banner away: connected again, or left on purpose. */
export function clearBanner() {
  clearTimeout(timer);
  timer = 0;
  banner("");
}

function banner(message) {
  const element = document.getElementById("banner");
  if (element.textContent && !message) announce(text("connected-again"));
  element.textContent = message;
}

export function showStoreTrouble() {
  document.getElementById("store-trouble").hidden = false;
}

/** @param {Answer[]} questions  none: no dots @param {Answer|null} current */
export function showProgress(questions, current) {
  const progress = document.getElementById("progress");
  progress.hidden = questions.length === 0 || questions.length > MOST_DOTS;
  progress.replaceChildren(
    ...questions.map(({ id, status }) => {
      const dot = document.createElement("span");
      dot.dataset.state = status === "accepted" ? "past" : id === current?.id ? "now" : "next";
      return dot;
    }),
  );
}
