// The format of durations, and a countdown.

/** @param {number} seconds @returns {string} "0:23" */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds + 1e-6));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

export class Countdown {
  #timer;

  /**
   * @param {number} seconds
   * @param {{tick: (secondsLeft: number) => void, done: () => void}} callbacks  tick gets whole seconds, rounded up
   */
  constructor(seconds, { tick, done }) {
    const endsAt = performance.now() + seconds * 1000;
    const step = () => {
      const left = Math.ceil((endsAt - performance.now()) / 1000 - 0.05);
      tick(Math.max(0, left));
      if (left > 0) return;
      this.stop();
      done();
    };
    this.#timer = setInterval(step, 250);
    tick(Math.ceil(seconds));
  }

  stop() {
    clearInterval(this.#timer);
  }
}
