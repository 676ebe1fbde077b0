import assert from "node:assert/strict";
import { test } from "node:test";
import { Figures } from "../../voice/static/voice/playground/figures.js";
import { SentAudio } from "../../voice/static/voice/playground/sent-audio.js";
import { firstOf, grouped, languageNames } from "../../voice/static/voice/playground/voices.js";
import { wavOf } from "../../voice/static/voice/playground/wav.js";

const VOICES = [
  { id: "piper:de_DE-thorsten", language: "de-DE", name: "thorsten", engine: "piper", quality: "neural" },
  { id: "piper:en_US-lessac", language: "en-US", name: "lessac", engine: "piper", quality: "neural" },
  { id: "espeak:fr", language: "fr", name: "Français", engine: "espeak", quality: "last_resort" },
  { id: "espeak:en-us", language: "en-US", name: "English", engine: "espeak", quality: "last_resort" },
];
const WORDS = {
  languageName: languageNames("en"),
  qualityName: (quality) => ({ neural: "natural", last_resort: "mechanical" })[quality],
};
const found = (query) => grouped(VOICES, query, WORDS).flatMap(({ voices }) => voices.map(({ id }) => id));

test("voices stand under their language, in the order of its name, those tried first in front", () => {
  assert.deepEqual(grouped(VOICES, "", WORDS), [
    {
      name: "American English",
      voices: [
        { id: "piper:en_US-lessac", label: "lessac (piper, natural)" },
        { id: "espeak:en-us", label: "English (espeak, mechanical)" },
      ],
    },
    { name: "French", voices: [{ id: "espeak:fr", label: "Français (espeak, mechanical)" }] },
    { name: "German (Germany)", voices: [{ id: "piper:de_DE-thorsten", label: "thorsten (piper, natural)" }] },
  ]);
});

test("voices are found by every word of a search, without accents and capitals", () => {
  assert.deepEqual(found("english NATURAL"), ["piper:en_US-lessac"]);
  assert.deepEqual(found("francais"), ["espeak:fr"]);
  assert.deepEqual(found("german mechanical"), []);
});

test("first voice is one of the language, whatever its region", () => {
  assert.equal(firstOf(VOICES, "en"), "piper:en_US-lessac");
  assert.equal(firstOf(VOICES, "sw"), "piper:de_DE-thorsten");
  assert.equal(firstOf([], "en"), "");
});

test("a language without a name is shown by its tag", () => {
  assert.equal(languageNames("en")("de_AT"), "Austrian German");
  assert.equal(languageNames("en")("en-gb-x-rp?"), "en-gb-x-rp?");
});

test("sent audio knows when the sound at a time had been sent", () => {
  const sent = new SentAudio(16_000);
  assert.ok(Number.isNaN(sent.at(0)));
  sent.sent(1600, 100);
  sent.sent(1600, 200);
  assert.equal(sent.duration, 0.2);
  assert.deepEqual([0, 0.1, 0.1001, 0.2, 5].map((s) => sent.at(s)), [100, 100, 200, 200, 200]);
});

test("figures have units, and nothing where nothing is known", () => {
  const figures = new Figures("en");
  assert.deepEqual([figures.wait(12.4), figures.wait(1234), figures.wait(NaN)], ["12\u00a0ms", "1.23\u00a0s", ""]);
  assert.deepEqual([figures.time(2.5), figures.time(undefined)], ["2.50\u00a0s", ""]);
  assert.deepEqual([figures.percent(0.876), figures.percent(NaN)], ["88%", ""]);
  assert.deepEqual([figures.factor(500, 2), figures.factor(500, 0)], ["0.25", ""]);
  assert.equal(new Figures("de").time(2.5), "2,50\u00a0s");
});

test("frames become a WAV file of the same samples", async () => {
  const blob = wavOf([Int16Array.of(1, -2).buffer, Int16Array.of(3).buffer], 16_000);
  const view = new DataView(await blob.arrayBuffer());
  const name = (at) => String.fromCharCode(...new Uint8Array(view.buffer, at, 4));
  assert.deepEqual([name(0), name(8), name(12), name(36)], ["RIFF", "WAVE", "fmt ", "data"]);
  assert.deepEqual([view.getUint32(4, true), view.getUint32(24, true), view.getUint32(40, true)], [42, 16_000, 6]);
  assert.deepEqual([44, 46, 48].map((at) => view.getInt16(at, true)), [1, -2, 3]);
});
