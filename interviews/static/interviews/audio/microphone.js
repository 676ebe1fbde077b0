// The microphone as the candidate chose it: opened from a button, changed in the middle of an answer, tried again.

import { WakeLock } from "../wake-lock.js";

const MICROPHONE_KEY = "interview-microphone";

export class Microphone {
  #wakeLock = new WakeLock(navigator, document);

  /** @param {Room} room */
  constructor(room) {
    this.room = room;
  }

  /** @returns {Promise<boolean>} false: the problem is on the screen */
  async open() {
    if (this.room.local.isWriting) return true;
    try {
      await this.#open();
      return true;
    } catch (error) {
      console.warn("no microphone:", error.cause ?? error);
      this.room.stumble(error.code);
      return false;
    }
  }

  /** The one that the candidate chose last. @throws {MicrophoneError} */
  async #open() {
    const { recorder } = this.room;
    if (recorder.isOpen) return;
    await recorder.open(localStorage.getItem(MICROPHONE_KEY) ?? "");
    this.#wakeLock.keep();
  }

  /** It is not needed any more. */
  close() {
    this.room.recorder.close();
    this.#wakeLock.release();
  }

  async #closeToOpenAgain() {
    await this.room.recorder.stop();
    this.room.recorder.close();
  }

  /** The next one to open; the one in use is closed. */
  async #choose(deviceId) {
    localStorage.setItem(MICROPHONE_KEY, deviceId);
    await this.#closeToOpenAgain();
  }

  /** @param {string} deviceId  also in the middle of an answer, which goes on in the same recording */
  async use(deviceId) {
    await this.#choose(deviceId);
    if (await this.open()) this.room.takes.continueCurrent();
  }

  /** @param {string} deviceId  "" for the usual one */
  async retry(deviceId) {
    const { room } = this;
    if (deviceId) await this.#choose(deviceId);
    else if (room.recorder.trouble) await this.#closeToOpenAgain();
    room.local.problem = null;
    if (!(await this.open())) return;
    const hasTake = room.takes.continueCurrent();
    if (!hasTake && room.state.session.status !== "checking") return room.enterFlow();
    room.render();
  }
}
