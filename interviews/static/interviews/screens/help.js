// The help dialog: change the microphone, type the answers, continue on another device.

import { within } from "../../voice/waits.js";
import { text } from "./screen.js";
import { fillMicrophones } from "./check.js";

const COPY_MS = 2_000;

export class Help {
  /** @param {Room} room */
  constructor(room) {
    this.room = room;
    this.dialog = document.getElementById("help");
    document.getElementById("open-help").addEventListener("click", () => this.open());
    this.#part("close").addEventListener("click", () => this.dialog.close());
    this.#part("copy").addEventListener("click", ({ target }) => this.#copy(target));
    this.#part("write").addEventListener("click", () => this.#write());
    this.#part("microphone").addEventListener("change", ({ target }) => room.microphone.use(target.value));
    this.#part("link").value = room.link;
  }

  #part(name) {
    return this.dialog.querySelector(`[data-part="${name}"]`);
  }

  open() {
    const { room } = this;
    this.#part("write-section").hidden = !["ask", "think", "record"].includes(room.step);
    this.#part("microphone-section").hidden = !room.recorder.isOpen;
    fillMicrophones(this.#part("microphone"), room.recorder.deviceId);
    this.dialog.showModal();
  }

  async #copy(button) {
    this.#part("link").select();
    const copied = navigator.clipboard?.writeText(this.#part("link").value) ?? Promise.resolve();
    await within(copied, COPY_MS).catch(() => {});
    button.textContent = text("copied");
  }

  #write() {
    this.dialog.close();
    this.room.write();
  }
}
