// The device check: microphone, sound, connection. The audio recorded here stays on the device.

import { Meter } from "../../voice/meter.js";
import { microphones } from "../../voice/recorder.js";
import { Screen, text } from "./screen.js";
import { playChime, playFrames } from "../audio/sound.js";

const HEARD_LEVEL = 0.4;
const HEARD_FRAMES = 12; // a fifth of a second: longer than a knock on the table
const SILENT_MS = 7_000;
const SAMPLE_S = 3;

export class CheckStep {
  #heard = 0;
  #openedAt = 0;

  /** @param {Room} room */
  constructor(room) {
    this.room = room;
    this.screen = new Screen("check");
    this.meter = new Meter(this.screen.part("meter"), () => room.recorder.analyser, (level) => this.#listen(level));
    this.screen.on("start", () => this.#start());
    this.screen.on("sample", () => this.#sample());
    this.screen.on("tone", () => this.#tone());
    this.screen.on("continue", () => room.command("devices_checked"));
    this.screen.part("microphone").addEventListener("change", ({ target }) => room.microphone.use(target.value));
    this.screen.phase("before");
    this.update();
    this.screen.focus();
    if (room.recorder.isOpen) this.#opened(); // back from a problem with the microphone
  }

  async #start() {
    if (await this.room.microphone.open()) await this.#opened();
  }

  async #opened() {
    await fillMicrophones(this.screen.part("microphone"), this.room.recorder.deviceId); // first: nothing moves later
    this.screen.phase("during");
    this.#openedAt = performance.now();
    this.meter.start();
    this.screen.focus();
  }

  #listen(level) {
    if (level >= HEARD_LEVEL && ++this.#heard === HEARD_FRAMES) this.#pass("voice", text("check-heard"));
    const isSilent = this.#heard < HEARD_FRAMES && performance.now() - this.#openedAt > SILENT_MS;
    const { trouble } = this.room.recorder;
    if (trouble) this.#say(trouble);
    else if (isSilent) this.screen.say("voice-status", text("check-silent"));
  }

  #say(trouble) {
    this.#heard = 0; // and is to be heard again
    this.screen.part("voice-row").dataset.state = "waiting";
    this.screen.say("voice-status", text(`${trouble}-detail`));
  }

  #played(isPlayed) {
    if (isPlayed) this.#pass("sound", text("check-sound"));
    else this.screen.say("sound-status", text("check-unplayed"));
  }

  #pass(row, message) {
    this.screen.part(`${row}-row`).dataset.state = "ok";
    this.screen.say(`${row}-status`, message);
  }

  async #sample() {
    const { recorder } = this.room;
    const button = this.screen.part("sample");
    const label = button.textContent;
    button.disabled = true;
    button.textContent = text("check-recording");
    const frames = await recorder.sample(SAMPLE_S);
    button.textContent = text("check-playing");
    const isPlayed = recorder.context && frames.length && (await playFrames(recorder.context, frames));
    this.#played(isPlayed);
    button.textContent = label;
    button.disabled = false;
  }

  async #tone() {
    const { context } = this.room.recorder;
    this.#played(context && (await playChime(context)));
  }

  update() {
    const { isOpen } = this.room.connection;
    this.screen.part("connection-row").dataset.state = isOpen ? "ok" : "waiting";
    this.screen.say("connection-status", text(isOpen ? "check-connected" : "check-connecting"));
  }

  leave() {
    this.meter.stop();
  }
}

/** @param {HTMLSelectElement} select @param {string} current */
export async function fillMicrophones(select, current) {
  const devices = await microphones();
  const options = devices.map(({ label, deviceId }) => new Option(label, deviceId, false, deviceId === current));
  select.replaceChildren(...options);
  select.closest("label").hidden = devices.length === 0;
}
