/* Under a vocabulary: hear each term as the voice says it, and see how the recogniser writes that.
   Both use the speech service's REST API with the page's session, and what stands in the form now. */
const API = "/api/v1/voice";
const REDRAW_MS = 400;
const SIGN = "=";

/** The terms of a vocabulary. @param {string} text @returns {{written: string, spoken: string}[]} */
export function termsOf(text) {
  return text
    .split("\n")
    .map((line) => {
      const at = line.indexOf(SIGN);
      const [written, spoken] = at < 0 ? [line, ""] : [line.slice(0, at), line.slice(at + 1)];
      return { written: written.trim(), spoken: spoken.trim() };
    })
    .filter(({ written }) => written);
}

const value = (id) => document.getElementById(id)?.value ?? "";

class Panel {
  #audio = new Audio();
  #shown = "";

  /** @param {HTMLElement} element */
  constructor(element) {
    this.element = element;
    this.text = document.getElementById(element.dataset.vocabulary);
    let later;
    this.text?.addEventListener("input", () => {
      clearTimeout(later);
      later = setTimeout(() => this.#show(), REDRAW_MS);
    });
    if (this.text) this.#show();
  }

  #part(name) {
    return this.element.querySelector(`[data-${name}]`);
  }

  #show() {
    if (this.text.value === this.#shown) return;
    this.#shown = this.text.value;
    const terms = termsOf(this.text.value);
    this.#part("none").hidden = terms.length > 0;
    this.#part("list").replaceChildren(...terms.map((term) => this.#row(term)));
  }

  #row(term) {
    const row = this.element.querySelector("template").content.firstElementChild.cloneNode(true);
    row.querySelector("[data-term]").textContent = term.written;
    for (const name of row.querySelectorAll("[data-name]")) name.textContent = term.written;
    row.querySelector("[data-hear]").addEventListener("click", () => this.#try(row, () => this.#hear(term)));
    row.querySelector("[data-write]").addEventListener("click", () => this.#try(row, () => this.#write(row, term)));
    return row;
  }

  /** @param {HTMLElement} row @param {() => Promise<string>} action  returns what to show */
  async #try(row, action) {
    const result = row.querySelector("[data-result]");
    result.textContent = result.dataset.busy;
    try {
      result.textContent = await action();
    } catch (error) {
      result.textContent = `${result.dataset.failed} ${error.message}`;
    }
    this.#part("status").textContent = result.textContent;
  }

  async #hear(term) {
    URL.revokeObjectURL(this.#audio.src);
    this.#audio.src = URL.createObjectURL(await this.#spoken(term));
    await this.#audio.play();
    return "";
  }

  async #write(row, term) {
    const body = new FormData();
    body.append("file", await this.#spoken(term), "term.wav");
    body.append("language", value("id_language"));
    body.append("prompt", this.#hotWords());
    const { text } = await (await this.#post("transcribe", {}, body)).json();
    return text ? `“${text.trim()}”` : row.querySelector("[data-result]").dataset.nothing;
  }

  #hotWords() {
    const own = termsOf(this.text.value).map(({ written }) => written);
    return [...own, this.element.dataset.hotWords].filter(Boolean).join(", ");
  }

  /** @returns {Promise<Blob>} */
  async #spoken({ written, spoken }) {
    const request = {
      text: spoken || written, voice: value("id_voice"), language: value("id_language"), format: "wav",
    };
    const headers = { "Content-Type": "application/json" };
    return (await this.#post("synthesize", headers, JSON.stringify(request))).blob();
  }

  async #post(name, headers, body) {
    const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
    const response = await fetch(`${API}/${name}`, {
      method: "POST", headers: { "X-CSRFToken": token, ...headers }, body,
    });
    if (response.ok) return response;
    const { detail } = await response.json().catch(() => ({})); // a proxy's answer has no such field
    throw new Error(typeof detail === "string" ? detail : String(response.status));
  }
}

if (globalThis.document) for (const element of document.querySelectorAll("[data-vocabulary]")) new Panel(element);
