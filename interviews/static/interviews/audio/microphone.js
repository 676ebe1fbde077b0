// The candidate's microphone: opened by a button, changed in the middle of an answer, tried again after a problem.

import { WakeLock } from "../wake-lock.js";

const MICROPHONE_KEY = "interview-microphone";

export class Microphone {
  #wakeLock = new WakeLock(navigator, document);

  /** @param {Room} room */
  constructor(room) {
    this.room = room;
  }

  /** @returns {Promise<boolean>} false: the screen shows the problem */
  async open() {
    if (this.room.isWriting) return true;
    try {
      await this.#open();
      return true;
    } catch (error) {
      console.warn("no microphone:", error.cause ?? error);
      this.room.stumble(error.code);
      return false;
    }
  }

  /** Open the microphone that the candidate chose last. @throws {MicrophoneError} */
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

  /** Choose the next microphone to open, and close the current one. */
  async #choose(deviceId) {
    localStorage.setItem(MICROPHONE_KEY, deviceId);
    await this.#closeToOpenAgain();
  }

  /** @param {string} deviceId  In the middle of an answer, the same recording continues. */
  async use(deviceId) {
    await this.#choose(deviceId);
    if (await this.open()) this.room.takes.continueCurrent();
  }

  /** @param {string} deviceId  "" for the default one */
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
