// The parts around the screen: the progress dots, and the banner with the connection's state.

import { announce, text } from "./screen.js";

const BANNER_AFTER_MS = 3_000; // shorter breaks need no message, as recording continues
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

/** Hides the banner, after a reconnect or an intended close. */
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
    ...questions.map(({ position, status }) => {
      const dot = document.createElement("span");
      const isNow = position === current?.position; // also at a follow-up to it
      dot.dataset.state = isNow ? "now" : status === "accepted" ? "past" : "next";
      return dot;
    }),
  );
}
