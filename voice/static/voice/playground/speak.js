// The panel "Type and hear": a text, a voice, and how long synthesis took.

import { Meter } from "../meter.js";
import { plural, text } from "../texts.js";
import { Figures } from "./figures.js";
import { Panel, load } from "./panel.js";
import { Playback } from "./playback.js";
import { synthesize, voices } from "./rest.js";
import { streamSpeech } from "./sockets.js";
import { firstOf, grouped, languageNames, primary } from "./voices.js";

const SPEECH_RATE_HZ = 24_000;

export class SpeakPanel extends Panel {
  #voices = [];
  #chosen = ""; // kept when a search hides it
  #playback = new Playback();
  #stop = () => {};

  /**
   * @param {HTMLElement} element
   * @param {{csrf_token: string, language: string, samples: Record<string, string>}} config
   */
  constructor(element, config) {
    super(element);
    this.config = config;
    const language = document.documentElement.lang;
    this.figure = new Figures(language);
    this.languageName = languageNames(language);
    this.meter = new Meter(this.part("meter"), () => this.#playback.analyser);
    this.part("form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#speak();
    });
    this.part("stop").addEventListener("click", () => this.#stop());
    this.part("text").addEventListener("input", () => this.#showLimit());
    this.part("speed").addEventListener("input", () => this.#showPace());
    this.part("find").addEventListener("input", () => this.#list());
    this.part("voice").addEventListener("change", ({ target }) => this.#choose(target.value));
    this.#showLimit();
    this.#showPace();
    this.#fetchVoices();
  }

  #showLimit() {
    const { value, maxLength } = this.part("text");
    this.say("limit", text("limit", { n: value.length, limit: maxLength }));
  }

  #showPace() {
    this.say("pace", text("pace", { n: this.figure.plain(Number(this.part("speed").value)) }));
  }

  async #fetchVoices() {
    this.say("voices", text("voices-loading"));
    try {
      this.#voices = await voices();
    } catch (problem) {
      this.say("voices", "");
      this.trouble(problem);
      return;
    }
    this.#choose(firstOf(this.#voices, this.config.language));
    this.#list();
  }

  #choose(id) {
    this.#chosen = id;
    const voice = this.#voices.find((candidate) => candidate.id === id);
    if (voice) this.#offerSample(voice.language);
  }

  /** A sample text in the voice's language, so that one press is enough to play it. */
  #offerSample(language) {
    const { samples } = this.config;
    const area = this.part("text");
    const isOwn = area.value.trim() && !Object.values(samples).includes(area.value);
    const sample = samples[primary(language)];
    if (isOwn || !sample) return;
    area.value = sample;
    area.lang = language;
    this.#showLimit();
  }

  #list() {
    const words = { languageName: this.languageName, qualityName: (quality) => text(`quality-${quality}`) };
    const groups = grouped(this.#voices, this.part("find").value, words);
    const select = this.part("voice");
    select.replaceChildren(...groups.map(groupElement));
    select.value = this.#chosen;
    if (!select.value && groups.length) {
      select.selectedIndex = 0;
      this.#choose(select.value);
    }
    const count = groups.reduce((sum, group) => sum + group.voices.length, 0);
    this.say("voices", count ? plural("voices", count) : text("voices-none"));
  }

  async #speak() {
    const format = this.part("format").value;
    const request = {
      text: this.part("text").value,
      voice: this.part("voice").value,
      speed: Number(this.part("speed").value),
    };
    this.trouble(null);
    this.figures();
    this.#stop();
    this.part("file").hidden = format === "pcm";
    this.part("meter").hidden = format !== "pcm";
    this.part("audio").pause();
    this.part("download").textContent = "";
    this.state = "busy";
    this.say("state", text("asking"));
    try {
      await (format === "pcm" ? this.#stream(request) : this.#fetch({ ...request, format }));
      this.say("state", text("spoken"));
    } catch (problem) {
      this.#playback.stop();
      this.say("state", problem.name === "AbortError" ? text("stopped") : "");
      if (problem.name !== "AbortError") this.trouble(problem);
    }
    this.meter.stop();
    this.state = "idle";
  }

  async #stream({ text: words, voice, speed }) {
    await this.#playback.open(SPEECH_RATE_HZ);
    this.meter.start();
    const complete = await new Promise((resolve, reject) => {
      let sentAt;
      let seconds = 0;
      const since = () => performance.now() - sentAt;
      const cancel = streamSpeech(
        { text: words, voice_id: voice, speed },
        {
          sent: () => (sentAt = performance.now()),
          samples: (samples) => {
            if (!seconds) this.#first(since());
            seconds += samples.length / SPEECH_RATE_HZ;
            this.figures({ duration: this.figure.time(seconds) });
            this.#playback.push(samples);
          },
          complete: (message) => resolve({ ...message, tookMs: since(), seconds }),
          failed: reject,
        },
      );
      this.#stop = () => {
        cancel();
        reject(new DOMException("", "AbortError"));
      };
    });
    this.#complete(complete);
    this.#stop = () => this.#playback.stop();
    await this.#playback.heard();
  }

  async #fetch(request) {
    const aborting = new AbortController();
    this.#stop = () => aborting.abort();
    const sentAt = performance.now();
    const response = await synthesize(request, this.config.csrf_token, aborting.signal);
    const blob = await wholeBody(response, () => this.#first(performance.now() - sentAt));
    const tookMs = performance.now() - sentAt;
    this.#stop = () => this.part("audio").pause();
    load(this.part("audio"), blob);
    this.#offer(blob, `speech.${request.format}`);
    this.#complete({ ...spokenBy(response.headers), tookMs, seconds: await durationOf(blob) });
    await this.#playFile();
  }

  /** A format that this browser cannot play can still be downloaded. */
  #playFile() {
    const audio = this.part("audio");
    return new Promise((resolve) => {
      audio.onended = audio.onpause = audio.onerror = resolve;
      audio.play().catch(resolve);
    });
  }

  #offer(blob, name) {
    const link = this.part("download");
    link.href = this.part("audio").src;
    link.download = name;
    link.textContent = text("download", { name, size: Math.ceil(blob.size / 1000) });
  }

  #first(ms) {
    this.say("state", text("speaking"));
    this.figures({ first: this.figure.wait(ms) });
  }

  #complete({ tookMs, seconds, total_duration_ms: totalMs, cached, engine, voice }) {
    const duration = Number.isFinite(totalMs) ? totalMs / 1000 : seconds;
    this.figures({
      total: this.figure.wait(tookMs),
      duration: this.figure.time(duration),
      factor: this.figure.factor(tookMs, duration),
      cached: text(cached ? "yes" : "no"),
      engine,
      voice,
    });
  }
}

function groupElement({ name, voices: fitting }) {
  const group = document.createElement("optgroup");
  group.label = name;
  group.append(...fitting.map(({ id, label }) => new Option(label, id)));
  return group;
}

/** The figures in the answer's headers, with the names of `synthesis_complete`. @param {Headers} headers */
function spokenBy(headers) {
  const voice = headers.get("X-Voice") ?? "";
  const durationMs = headers.get("X-Duration-Ms"); // unknown while the audio is streamed
  return {
    total_duration_ms: durationMs === null ? undefined : Number(durationMs),
    cached: headers.get("X-Cached") === "true",
    engine: voice.split(":")[0],
    voice,
  };
}

/**
 * The duration of any file, also of streamed ones, whose headers do not state it.
 * @param {Blob} blob @returns {Promise<number>} seconds; NaN when this browser cannot read it
 */
async function durationOf(blob) {
  const context = new OfflineAudioContext(1, 1, SPEECH_RATE_HZ);
  return context.decodeAudioData(await blob.arrayBuffer()).then(({ duration }) => duration, () => NaN);
}

/** @param {Response} response @param {() => void} began  called at the first bytes @returns {Promise<Blob>} */
async function wholeBody(response, began) {
  const chunks = [];
  const reader = response.body.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    if (!chunks.length) began();
    chunks.push(part.value);
  }
  return new Blob(chunks, { type: response.headers.get("Content-Type") ?? "" });
}
