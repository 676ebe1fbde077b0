// The panel "Speak and read": the microphone or a file, its transcript, and how long transcription took.

import { Meter } from "../meter.js";
import { SAMPLE_RATE_HZ } from "../pcm.js";
import { Recorder } from "../recorder.js";
import { text } from "../texts.js";
import { Figures } from "./figures.js";
import { NOTHING, Panel, load, save } from "./panel.js";
import { subtitles, transcribe } from "./rest.js";
import { SentAudio } from "./sent-audio.js";
import { Hearing } from "./sockets.js";
import { Transcript, UNSURE_BELOW } from "./transcript.js";
import { languageNames } from "./voices.js";
import { wavOf } from "./wav.js";

const FRAME_SAMPLES = 1_600; // 100 ms: a longer frame would add to every delay
const LIMIT_MIN = 10;

export class HearPanel extends Panel {
  #frames = []; // recorded by the microphone, for playing afterwards
  #sent = new SentAudio(SAMPLE_RATE_HZ);
  #hearing = null;
  #abort = null; // of an upload
  #speechAt = null; // seconds; only during speech
  #hasPartial = false;
  #endedAt = 0;
  #hasReachedLimit = false;
  #segments = [];

  /**
   * @param {HTMLElement} element
   * @param {{csrf_token: string, language: string, recognised: string[], workletUrl: string}} config
   */
  constructor(element, config) {
    super(element);
    this.config = config;
    const pageLanguage = document.documentElement.lang;
    this.figure = new Figures(pageLanguage);
    this.languageName = languageNames(pageLanguage);
    this.recorder = new Recorder({
      workletUrl: config.workletUrl,
      constraints: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
      frameSamples: FRAME_SAMPLES,
    });
    // Audio recorded until then is still transcribed.
    this.recorder.onLost = (code) => (this.#endedAt ? this.trouble({ code }) : this.#fail({ code }));
    this.recorder.onTrouble = (code) => this.trouble({ code });
    this.recorder.onWell = () => this.trouble(null);
    this.meter = new Meter(this.part("meter"), () => this.recorder.analyser);
    this.transcript = new Transcript(this.part("finals"), this.figure, {
      shown: (sentence) => this.say("word", sentence),
      chosen: (seconds) => this.#playFrom(seconds),
    });
    this.#listLanguages();
    this.part("go").addEventListener("click", () => this.#listen());
    this.part("stop").addEventListener("click", () => this.#stop());
    this.part("choose").addEventListener("click", ({ target }) => (target.value = "")); // to choose it again
    this.part("choose").addEventListener("change", ({ target }) => target.files[0] && this.#read(target.files[0]));
    for (const format of ["srt", "vtt"]) this.part(format).addEventListener("click", () => this.#saveSubtitles(format));
  }

  #listLanguages() {
    const named = this.config.recognised.map((code) => [this.languageName(code), code]);
    named.sort(([a], [b]) => a.localeCompare(b));
    this.part("language").append(...named.map(([name, code]) => new Option(name, code)));
    this.part("language").value = this.config.recognised.includes(this.config.language) ? this.config.language : "";
  }

  #begin(state) {
    this.#frames = [];
    this.#segments = [];
    this.#sent = new SentAudio(SAMPLE_RATE_HZ);
    this.#speechAt = null;
    this.#hasReachedLimit = false;
    this.#endedAt = 0;
    this.transcript.clear();
    this.trouble(null);
    this.figures();
    this.say("partial", "");
    this.part("empty").hidden = true;
    this.part("file").hidden = true;
    this.part("audio").pause();
    this.part("choose").disabled = true;
    this.state = "busy";
    this.say("state", text(state));
  }

  #finish(state) {
    this.recorder.close();
    this.meter.stop();
    this.#hearing?.close();
    this.#hearing = this.#abort = null;
    delete this.element.dataset.speech;
    this.say("partial", "");
    this.say("state", state);
    this.part("choose").disabled = false;
    this.part("empty").hidden = this.#segments.length > 0;
    this.part("file").hidden = !this.#segments.length;
    this.state = "idle";
  }

  #fail(problem) {
    this.#keepRecording();
    this.#finish("");
    this.trouble(problem);
  }

  // The microphone

  async #listen() {
    this.#begin("opening");
    this.part("choose").value = "";
    try {
      await this.recorder.open();
    } catch (problem) {
      return this.#fail(problem);
    }
    if (this.element.dataset.state !== "busy") return this.recorder.close(); // stopped meanwhile
    this.meter.start();
    this.#hearing = new Hearing(
      { language: this.part("language").value, rateHz: SAMPLE_RATE_HZ },
      {
        opened: () => this.#record(),
        heard: (message) => this.#heard(message),
        failed: (problem) => this.#fail(problem),
      },
    );
  }

  #record() {
    this.say("state", text("silence"));
    this.recorder.start(LIMIT_MIN * 60 * SAMPLE_RATE_HZ, {
      frame: (pcm) => {
        this.#frames.push(pcm);
        this.#sent.sent(pcm.byteLength / 2, performance.now());
        this.#hearing?.send(pcm);
        this.figures({ duration: this.figure.time(this.#sent.duration) });
      },
      stopped: (reason) => {
        this.#hasReachedLimit = reason === "limit";
        this.#askForRest();
      },
    });
  }

  #stop() {
    if (this.#abort) return this.#abort.abort();
    if (this.recorder.isRecording) return this.recorder.stop();
    this.#keepRecording(); // nothing runs yet, or the rest is not worth waiting for
    this.#finish(text("stopped"));
  }

  #askForRest() {
    if (!this.#hearing) return;
    this.#endedAt = performance.now();
    this.#hearing.end();
    this.meter.stop();
    this.say("state", text("finishing"));
  }

  #heard(message) {
    const now = performance.now();
    switch (message.type) {
      case "speech_start":
        this.#speechAt = message.timestamp;
        this.#hasPartial = false;
        this.element.dataset.speech = "on";
        this.#showSpeech();
        break;
      case "speech_end":
        this.#speechAt = null;
        delete this.element.dataset.speech;
        this.#showSpeech();
        break;
      case "partial":
        this.#partial(message, now);
        break;
      case "final":
        this.#final(message, now);
        break;
      case "error":
        this.trouble(message);
        break;
      case "done":
        this.#done(message, now);
        break;
    }
  }

  #showSpeech() {
    if (this.#endedAt) return;
    const isSpeaking = this.#speechAt !== null;
    this.say("state", isSpeaking ? text("speech", { time: this.figure.time(this.#speechAt) }) : text("silence"));
  }

  #partial(message, now) {
    this.part("partial").lang = message.language ?? "";
    this.say("partial", message.text);
    if (this.#hasPartial || !message.text) return;
    this.#hasPartial = true;
    if (this.#speechAt !== null) this.figures({ first: this.figure.wait(now - this.#sent.at(this.#speechAt)) });
  }

  #final(message, now) {
    this.say("partial", "");
    if (!message.text) return;
    this.#add(message);
    this.figures({ final: this.figure.wait(now - this.#sent.at(message.end)) });
    this.#describe(message);
  }

  #done(message, now) {
    this.figures({ end: this.figure.wait(now - this.#endedAt) });
    this.#describe(message);
    this.#keepRecording();
    this.#finish(this.#ending());
  }

  #ending() {
    if (this.#hasReachedLimit) return text("limit-reached", { n: LIMIT_MIN });
    return text(this.#segments.length ? "heard" : "heard-nothing");
  }

  #keepRecording() {
    if (this.#frames.length) load(this.part("audio"), wavOf(this.#frames, SAMPLE_RATE_HZ));
    this.#frames = [];
  }

  // A file

  async #read(file) {
    this.#begin("uploading");
    this.#abort = new AbortController();
    const language = this.part("language").value;
    const fields = { file, ...(language && { language }) };
    const sentAt = performance.now();
    try {
      const response = await transcribe(fields, this.config.csrf_token, this.#abort.signal);
      const result = await response.json();
      const tookMs = performance.now() - sentAt;
      result.segments.filter((segment) => segment.text).forEach((segment) => this.#add(segment));
      this.#describe(result);
      this.figures({
        end: this.figure.wait(tookMs),
        duration: this.figure.time(result.duration),
        factor: this.figure.factor(tookMs, result.duration),
      });
      load(this.part("audio"), file);
      this.#finish(text(this.#segments.length ? "heard" : "heard-nothing"));
    } catch (problem) {
      if (problem.name === "AbortError") this.#finish(text("stopped"));
      else this.#fail(problem);
    }
  }

  // The transcript

  #add(segment) {
    this.#segments.push(segment);
    this.transcript.add(segment);
    if (!this.part("word").textContent) {
      this.say("word", text("word-help", { limit: this.figure.percent(UNSURE_BELOW) }));
    }
  }

  #describe({ language, language_probability: probability, engine, model }) {
    const words = this.#segments.flatMap((segment) => segment.words ?? []);
    const mean = words.reduce((sum, { confidence }) => sum + confidence, 0) / words.length;
    const isDetected = !this.part("language").value && probability !== undefined;
    const values = { confidence: this.figure.percent(mean) || NOTHING };
    if (language) {
      this.part("finals").lang = language;
      const share = isDetected ? ` (${this.figure.percent(probability)})` : "";
      values.language = this.languageName(language) + share;
    }
    if (engine) values.engine = model && model !== engine ? `${engine}, ${model}` : engine;
    this.figures(values);
  }

  #playFrom(seconds) {
    const audio = this.part("audio");
    if (this.part("file").hidden || !audio.src) return;
    audio.currentTime = seconds;
    audio.play().catch(() => {}); // this browser cannot play the file
  }

  async #saveSubtitles(format) {
    try {
      const response = await subtitles(this.#segments, format, this.config.csrf_token);
      save(await response.blob(), `transcript.${format}`);
    } catch (problem) {
      this.trouble(problem);
    }
  }
}
