// A WebSocket that reconnects by itself and notices when the server has silently gone.

const PING_MS = 5_000; // mean; jittered, so that pages do not ping at the same moment
const SILENCE_MS = 13_000; // two pings and a margin: then the socket is half open
const CONNECT_MS = 8_000;
const FIRST_BACKOFF_MS = 1_000; // a stopping process disconnects hundreds of pages at once
const MAX_BACKOFF_MS = 8_000;
const STEADY_MS = 5_000; // a shorter connection does not reset the backoff
/** Close codes after which the page must not reconnect. */
const FINAL_CODES = { 4001: "taken_over", 4004: "link_unknown", 4010: "link_expired", 4401: "signed_out" };

/**
 * Exponential backoff with full jitter.
 * Source: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 * @param {number} attempt  0 for the first @param {() => number} random
 */
export const backoffMs = (attempt, random = Math.random) =>
  random() * Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** attempt);

/** Makes a random id for this page. A copy of the tab or a reload gets another one. */
function newTab() {
  const bytes = crypto.getRandomValues(new Uint8Array(16)); // randomUUID needs https
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Events: "message" (detail: the JSON message), "change" (see `isOpen`), "over" (detail: code). */
export class Connection extends EventTarget {
  #socket = null;
  #attempt = 0;
  #retry = 0;
  #heardAt = 0;
  #openedAt = Infinity;
  #isClaiming = false;
  #hasLeft = true;
  isOpen = false;

  /** @param {string} path */
  constructor(path) {
    super();
    this.url = new URL(path, location.href.replace(/^http/, "ws"));
    this.url.searchParams.set("tab", newTab());
    addEventListener("online", () => this.#hasLeft || this.#socket || this.#connect());
    addEventListener("offline", () => this.#drop());
    this.#beatLater();
  }

  /** Connects and claims the interview from any other tab. Reconnecting does not claim it. */
  connect() {
    this.#hasLeft = false;
    this.#isClaiming = true; // until the server has answered
    this.#connect();
  }

  #connect() {
    clearTimeout(this.#retry);
    this.#hangUp();
    const socket = new WebSocket(this.url.href + (this.#isClaiming ? "&claim=1" : ""));
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.#opened();
    socket.onmessage = ({ data }) => this.#heard(JSON.parse(data));
    socket.onclose = ({ code }) => (FINAL_CODES[code] ? this.#end(FINAL_CODES[code]) : this.#drop());
    this.#socket = socket;
    this.#heardAt = performance.now();
  }

  /** Closes the connection until `connect` is called again. */
  close() {
    this.#hasLeft = true;
    clearTimeout(this.#retry);
    this.#hangUp();
  }

  /** Reconnects for a fresh snapshot. @param {number} [pauseMs]  shortest pause before it */
  refresh(pauseMs = 0) {
    this.#drop(pauseMs);
  }

  #hangUp() {
    if (!this.#socket) return;
    this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close();
    this.#socket = null;
    this.#change(false);
  }

  /** @param {object} message @returns {boolean} false when there is no connection */
  send(message) {
    if (this.isOpen) this.#socket.send(JSON.stringify(message));
    return this.isOpen;
  }

  /** @param {ArrayBuffer} frame */
  sendBytes(frame) {
    if (this.isOpen) this.#socket.send(frame);
  }

  #opened() {
    this.#openedAt = performance.now();
    this.#change(true);
  }

  #heard(message) {
    this.#heardAt = performance.now();
    this.#isClaiming = false;
    if (message.type !== "pong") this.dispatchEvent(new CustomEvent("message", { detail: message }));
  }

  #beatLater() {
    setTimeout(() => {
      this.#beat();
      this.#beatLater();
    }, PING_MS * (0.8 + 0.4 * Math.random()));
  }

  #beat() {
    if (!this.#socket) return;
    const silence = performance.now() - this.#heardAt;
    if (silence > (this.isOpen ? SILENCE_MS : CONNECT_MS)) this.#drop();
    else this.send({ type: "ping" });
  }

  #drop(pauseMs = 0) {
    if (!this.#socket) return;
    this.#hangUp(); // no wait for the close handshake, which never ends on a dead network
    if (performance.now() - this.#openedAt >= STEADY_MS) this.#attempt = 0;
    this.#openedAt = Infinity;
    this.#retry = setTimeout(() => this.#connect(), Math.max(pauseMs, backoffMs(this.#attempt++)));
  }

  #end(code) {
    this.close();
    this.dispatchEvent(new CustomEvent("over", { detail: code }));
  }

  #change(isOpen) {
    this.isOpen = isOpen;
    this.dispatchEvent(new Event("change"));
  }
}
