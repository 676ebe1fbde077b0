/* Keeps a list of interviews under way new. Rows keep their place and their focus: only what differs is written. */
import { Connection } from "../../interviews/connection.js";

const TEXTS = ["name", "interview", "doing", "question", "progress", "connection", "seen"];

class Monitor {
  #root;
  #body;
  #blank;
  #hasLived = false;

  constructor(root) {
    this.#root = root;
    this.#body = root.querySelector("[data-rows]");
    this.#blank = root.querySelector("template").content.querySelector("tr");
    const connection = new Connection(root.dataset.watching);
    connection.addEventListener("message", ({ detail }) => this.#show(detail));
    connection.addEventListener("change", () => connection.isOpen || !this.#hasLived || this.#say("lost"));
    connection.addEventListener("over", () => this.#say("over"));
    connection.connect();
  }

  /** @param {{type: string, counts: object, order: string[], rows: object[]}} view */
  #show(view) {
    if (view.type !== "view") return;
    this.#hasLived = true;
    this.#say("live");
    for (const [name, count] of Object.entries(view.counts))
      for (const place of document.querySelectorAll(`[data-count="${name}"]`)) write(place, count);
    const next = document.querySelector('[rel="next"]');
    if (next) next.hidden = view.counts.page >= view.counts.pages;
    const changed = new Map(view.rows.map((row) => [row.id, row]));
    const known = new Map([...this.#body.children].map((row) => [row.dataset.row, row]));
    for (const [id, row] of known) if (!view.order.includes(id)) row.remove();
    view.order.forEach((id, at) => {
      const row = known.get(id) ?? this.#blank.cloneNode(true);
      if (changed.has(id)) fill(row, changed.get(id));
      if (this.#body.children[at] !== row) this.#body.insertBefore(row, this.#body.children[at] ?? null);
    });
    this.#root.querySelector("[data-none]").hidden = view.order.length > 0;
  }

  /** @param {"live" | "lost" | "over"} state */
  #say(state) {
    const place = this.#root.querySelector("[data-status]");
    this.#root.dataset.state = state;
    write(place, place.dataset[state]);
  }
}

function fill(row, shown) {
  const cell = (name) => row.querySelector(`[data-cell="${name}"]`);
  row.dataset.row = shown.id;
  row.classList.toggle("ip-away", shown.is_away);
  for (const name of TEXTS) write(cell(name), shown[name]);
  cell("name").href = shown.address;
  cell("doing").dataset.tone = shown.tone;
  const bar = cell("bar");
  bar.max = shown.total || 1;
  bar.value = shown.answered;
  bar.setAttribute("aria-label", shown.progress);
}

function write(place, text) {
  if (place.textContent !== String(text)) place.textContent = text;
}

for (const root of document.querySelectorAll("[data-watching]")) new Monitor(root);
