// The waveform of the whole interview: a slider that shows where the player is.

import { clock } from "../../../interviews/screens/countdown.js";
import { bars } from "./timeline.js";

const BARS = 600; // of all answers together: two pixels each on a wide screen
const LEAST_BARS = 6;
const QUIET = 0.1; // an interview in which nothing is louder is drawn small
const SVG = "http://www.w3.org/2000/svg";

export class Waveform {
  #element;
  #head;
  #total;

  /**
   * @param {HTMLElement} element
   * @param {number} total  seconds
   * @param {(time: number) => void} seek
   */
  constructor(element, total, seek) {
    this.#element = element;
    this.#head = element.querySelector("[data-head]");
    this.#total = total;
    element.setAttribute("aria-valuemax", Math.round(total));
    const tracks = [...element.querySelectorAll("[data-track]")];
    const peaks = tracks.map(peaksOf);
    const loudest = Math.max(QUIET, ...peaks.flatMap((each) => bars(each, 1)));
    tracks.forEach((track, index) => draw(track, peaks[index], loudest, total));
    const seekTo = (event) => {
      const { left, width } = element.getBoundingClientRect();
      seek((Math.min(Math.max(event.clientX - left, 0), width) / width) * total);
    };
    element.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      element.setPointerCapture(event.pointerId);
      seekTo(event);
    });
    element.addEventListener("pointermove", (event) => {
      if (element.hasPointerCapture(event.pointerId)) seekTo(event);
    });
  }

  /** @param {number} time @param {number} position  of the answer that is heard */
  show(time, position) {
    this.#head.style.inlineSize = `${(100 * time) / this.#total}%`;
    const seconds = Math.floor(time);
    if (this.#element.ariaValueNow === String(seconds)) return;
    this.#element.ariaValueNow = String(seconds);
    const words = { TIME: clock(time), TOTAL: clock(this.#total), NUMBER: position };
    this.#element.ariaValueText = this.#element.dataset.words.replace(/TIME|TOTAL|NUMBER/g, (name) => words[name]);
  }
}

/** @param {HTMLElement} track */
function peaksOf(track) {
  return Uint8Array.from(atob(track.dataset.peaks), (letter) => letter.charCodeAt(0));
}

/** Give an answer its share of the width, and draw how loud it is beside the loudest moment of the interview. */
function draw(track, peaks, loudest, total) {
  const share = Number(track.dataset.seconds) / total;
  track.style.flexGrow = share;
  const heights = bars(peaks, Math.max(LEAST_BARS, Math.round(BARS * share)));
  if (!heights.length) return;
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${heights.length} 2`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", heights.map((height, index) => bar(height / loudest, index)).join(""));
  svg.append(path);
  track.append(svg);
}

/** Quiet speech is seen too: a height is the root of the loudness. */
function bar(loudness, index) {
  const half = Math.max(0.03, Math.sqrt(loudness));
  return `M${index + 0.15} ${(1 - half).toFixed(3)}h.7v${(2 * half).toFixed(3)}h-.7z`;
}
