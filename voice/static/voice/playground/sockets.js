// The speech service's WebSockets, as any client would use them.

const SPEECH = "/ws/tts";
const HEARING = "/ws/asr";

/**
 * @typedef {{code: string, detail?: string}} Problem
 */

class Line {
  #isOver = false;

  /**
   * @param {string} path
   * @param {{opened: () => void, message: (message: object) => void, bytes: (bytes: ArrayBuffer) => void,
   *   failed: (problem: Problem) => void}} on
   */
  constructor(path, on) {
    const socket = new WebSocket(new URL(path, location.href.replace(/^http/, "ws")));
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.#isOver || on.opened();
    socket.onmessage = ({ data }) => this.#isOver || this.#receive(data, on);
    socket.onclose = () => this.#fail({ code: "connection" }, on);
    this.socket = socket;
  }

  #receive(data, on) {
    if (data instanceof ArrayBuffer) return on.bytes(data);
    const message = JSON.parse(data);
    // An error about one part of the audio does not affect the rest.
    if (message.type === "error" && message.start === undefined) this.#fail(message, on);
    else on.message(message);
  }

  #fail(problem, on) {
    if (this.#isOver) return;
    this.close();
    on.failed(problem);
  }

  /** @param {object|ArrayBuffer} message */
  send(message) {
    if (this.socket.readyState !== WebSocket.OPEN) return;
    this.socket.send(message instanceof ArrayBuffer ? message : JSON.stringify(message));
  }

  close() {
    this.#isOver = true;
    this.socket.close();
  }
}

/**
 * Requests speech for a text, and passes on the audio as it arrives.
 * @param {{text: string, voice_id: string, speed: number}} request
 * @param {{sent: () => void, samples: (samples: Float32Array) => void, complete: (message: object) => void,
 *   failed: (problem: Problem) => void}} on  samples: 24 kHz, -1..1
 * @returns {() => void}  ends it early
 */
export function streamSpeech(request, on) {
  const line = new Line(SPEECH, {
    opened() {
      line.send({ type: "synthesize", streaming: true, ...request });
      on.sent();
    },
    message(message) {
      if (message.type !== "synthesis_complete") return;
      line.close();
      on.complete(message);
    },
    bytes: (bytes) => on.samples(new Float32Array(bytes)),
    failed: on.failed,
  });
  return () => {
    line.send({ type: "cancel" });
    line.close();
  };
}

/** Live transcription of speech. */
export class Hearing {
  /**
   * @param {{language: string, rateHz: number}} config  with an empty language it is detected
   * @param {{opened: () => void, heard: (message: object) => void, failed: (problem: Problem) => void}} on
   *   heard: speech_start, partial, speech_end, final or error and, after `end`, done
   */
  constructor({ language, rateHz }, on) {
    this.line = new Line(HEARING, {
      opened: () => {
        this.line.send({ type: "config", sample_rate: rateHz, encoding: "int16", ...(language && { language }) });
        on.opened();
      },
      message: (message) => {
        if (message.type === "done") this.line.close();
        on.heard(message);
      },
      bytes: () => {},
      failed: on.failed,
    });
  }

  /** @param {ArrayBuffer} pcm  s16le */
  send(pcm) {
    this.line.send(pcm);
  }

  /** Requests the rest of the transcript. */
  end() {
    this.line.send({ type: "end" });
  }

  close() {
    this.line.close();
  }
}
