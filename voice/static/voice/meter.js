// A calm display of the voice: the level ripples outwards from the middle.

const BARS = 33;
const FLOOR_DB = -60;
const CEILING_DB = -12;
const RIPPLE_FRAMES = 2; // animation frames that the level takes to move one bar outwards

/** @param {Float32Array} samples  -1..1 @returns {number} 0 (silence) .. 1 (loud), linear in decibels */
export function levelOf(samples) {
  const power = samples.reduce((sum, value) => sum + value * value, 0) / samples.length;
  const db = 10 * Math.log10(power + 1e-12);
  return Math.max(0, Math.min(1, (db - FLOOR_DB) / (CEILING_DB - FLOOR_DB)));
}

export class Meter {
  #frame = 0;
  #levels = new Array(BARS * RIPPLE_FRAMES).fill(0);
  #samples = new Float32Array(1024);

  /**
   * @param {HTMLElement} element
   * @param {() => AnalyserNode|null} analyser
   * @param {(level: number) => void} [onLevel]
   */
  constructor(element, analyser, onLevel = () => {}) {
    this.analyser = analyser;
    this.onLevel = onLevel;
    this.isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.bars = Array.from({ length: BARS }, () => document.createElement("span"));
    element.replaceChildren(...this.bars);
  }

  start() {
    this.stop();
    const tick = () => {
      this.#draw();
      this.#frame = requestAnimationFrame(tick);
    };
    tick();
  }

  /** Stops, and shows silence. */
  stop() {
    cancelAnimationFrame(this.#frame);
    this.#levels.fill(0);
    this.#drawBars();
  }

  #draw() {
    const analyser = this.analyser();
    analyser?.getFloatTimeDomainData(this.#samples);
    const level = analyser ? levelOf(this.#samples) : 0;
    this.onLevel(level);
    const last = this.#levels[0];
    // The level rises quickly and falls slowly, so that the meter does not flicker.
    this.#levels.unshift(last + (level - last) * (level > last ? 0.4 : 0.08));
    this.#levels.pop();
    this.#drawBars();
  }

  #drawBars() {
    this.bars.forEach((bar, i) => this.#drawBar(bar, Math.abs(i - (BARS - 1) / 2)));
  }

  #drawBar(bar, distance) {
    if (this.isStill) {
      bar.style.opacity = this.#levels[0] * (BARS / 2) > distance ? "1" : "0.25";
      return;
    }
    const height = this.#levels[distance * RIPPLE_FRAMES] * Math.cos((distance / BARS) * Math.PI);
    bar.style.transform = `scaleY(${Math.max(0.06, height).toFixed(3)})`;
  }
}
