// A problem: what it is, what to do, and how to continue.

import { Screen, text } from "./screen.js";
import { fillMicrophones } from "./check.js";

/** The buttons offered for each problem. */
const WAYS_ON = {
  permission_denied: ["retry", "write", "device"],
  not_allowed_yet: ["retry", "write", "device"],
  not_loaded: ["retry", "reload"],
  sound_off: ["retry", "write", "device"],
  no_microphone: ["retry", "write", "device"],
  microphone_busy: ["retry", "write", "device"],
  unplugged: ["microphone", "retry", "write", "device"],
  interrupted: ["retry", "device"],
  muted: ["microphone", "retry", "write", "device"],
  no_samples: ["microphone", "retry", "write", "device"],
  insecure: ["write", "device"],
  unsupported: ["write", "device"],
  taken_over: ["here"],
  link_unknown: [],
  link_expired: [],
  server_error: ["reload"],
};

export class ProblemStep {
  /** @param {Room} room @param {{code: string, kept?: string}} problem */
  constructor(room, { code, kept }) {
    this.screen = new Screen("problem");
    this.screen.element.dataset.problem = code;
    this.screen.part("heading").textContent = text(`${code}-title`);
    this.screen.say("detail", text(`${code}-detail`));
    this.screen.say("kept", kept ? text("kept-time", { time: kept }) : "");
    for (const way of this.screen.element.querySelectorAll("[data-way]")) {
      way.hidden = !WAYS_ON[code].includes(way.dataset.way);
    }
    this.screen.on("retry", () => room.microphone.retry(this.screen.part("microphone").value));
    this.screen.on("write", () => room.write());
    this.screen.on("device", () => room.help.open());
    this.screen.on("here", () => room.continueHere());
    this.screen.on("reload", () => location.reload());
    if (WAYS_ON[code].includes("microphone")) this.#watchMicrophones(room.recorder.deviceId);
    this.screen.focus();
  }

  #watchMicrophones(current) {
    this.refill = () => fillMicrophones(this.screen.part("microphone"), current);
    navigator.mediaDevices.addEventListener("devicechange", this.refill);
    this.refill();
  }

  update() {}

  leave() {
    if (this.refill) navigator.mediaDevices.removeEventListener("devicechange", this.refill);
  }
}
