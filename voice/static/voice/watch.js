// Watches an open microphone: asks the browser for facts, resumes what it suspended, and tells what changed.

import { Health } from "./health.js";
import { within } from "./waits.js";

const LOOK_MS = 500;
const LIST_MS = 5_000;

/**
 * @typedef {object} Watcher
 * @property {(trouble: Trouble|null) => void} changed  see health.js; null: it works again
 */

export class Watch {
  #health = new Health(performance.now());
  #timer;
  #off = new AbortController(); // ends every subscription

  /** @type {Trouble|null} what is wrong now */ trouble = null;

  /** @param {MediaStreamTrack} track @param {AudioContext} context @param {Watcher} watcher */
  constructor(track, context, watcher) {
    this.track = track;
    this.context = context;
    this.watcher = watcher;
    this.#timer = setInterval(() => this.look(), LOOK_MS);
    for (const [target, event] of [
      ...["mute", "unmute", "ended"].map((name) => [track, name]),
      [context, "statechange"],
      [document, "visibilitychange"],
      [navigator.mediaDevices, "devicechange"],
    ]) {
      target.addEventListener(event, () => this.look(), { signal: this.#off.signal });
    }
    navigator.mediaDevices.addEventListener("devicechange", () => this.#findDevice(), { signal: this.#off.signal });
  }

  get hasSound() {
    return this.#health.hasSound(performance.now());
  }

  /** Samples came from the audio thread. @param {number} peak  0..1 */
  came(peak) {
    this.#health.came(peak, performance.now());
    if (this.trouble) this.look();
  }

  look() {
    const { state } = this.context;
    // Browsers that need a gesture refuse, which the next look sees.
    if (!["running", "closed"].includes(state)) this.context.resume().catch(() => {});
    const { muted, readyState } = this.track;
    const facts = { context: state, isMuted: muted, isEnded: readyState === "ended" };
    this.#become(this.#health.troubleAt(facts, performance.now()));
  }

  /** Some browsers do not end the track of a device that was unplugged. */
  async #findDevice() {
    const { deviceId } = this.track.getSettings();
    const devices = await within(navigator.mediaDevices.enumerateDevices(), LIST_MS).catch(() => null);
    if (!devices) return;
    const known = devices.filter(({ kind }) => kind === "audioinput");
    const isNamed = known.every((device) => device.deviceId); // only where the page may know
    const isGone = deviceId && isNamed && known.every((device) => device.deviceId !== deviceId);
    if (isGone && !this.#off.signal.aborted) this.#become("unplugged");
  }

  #become(trouble) {
    if (trouble === this.trouble || this.trouble === "unplugged") return;
    this.trouble = trouble;
    this.watcher.changed(trouble);
  }

  end() {
    clearInterval(this.#timer);
    this.#off.abort();
  }
}
