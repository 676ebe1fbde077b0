import assert from "node:assert/strict";
import { test } from "node:test";

const nothing = { content: { querySelectorAll: () => [] } }; // the page's templates, which no test here needs
globalThis.document = { getElementById: () => nothing };
const { Takes } = await import("../../interviews/static/interviews/audio/takes.js");

const SPEECH = Int16Array.from({ length: 16_000 }, (_, i) => 4000 * Math.sign(Math.sin((2 * Math.PI * 140 * i) / 16_000)));
const SILENCE = new Int16Array(16_000);

/** Takes of a page whose microphone is played by the test. */
async function recording(config = {}) {
  const [sent, told] = [[], []];
  const room = {
    state: { session: { status: "under_way" }, answers: [] },
    local: { ended: new Set() },
    connection: { send: (message) => sent.push(message), sendBytes: () => {} },
    commands: { writtenAnswer: () => null },
    stage: { tell: (message) => told.push(message) },
    answer: () => undefined,
    render: () => {},
    recorded: () => {},
    progressed: () => {},
  };
  const takes = new Takes(room, { worklet_url: "", store: "s", ...config });
  takes.store.onTrouble = () => {};
  let sink;
  takes.recorder.start = (_, given) => (sink = given);
  await takes.record({ answer: "a", recording: "r", offset: 0, limit_bytes: 1e9 });
  return { takes, room, sent, told, say: (pcm) => sink.frame(pcm.slice().buffer) };
}

test.beforeEach((t) => t.mock.method(console, "warn", () => {}));

const hear = { type: "hear", answer: "a", end_silence_ms: 3000, is_in_turn: false };
const types = (messages) => messages.map(({ type }) => type);

test("page that was asked to hear tells turns by itself, and says so to the server", async () => {
  const { takes, sent, told, say } = await recording();
  for (const sound of [SILENCE, SPEECH, SILENCE]) say(sound);
  assert.deepEqual(told, [], "unasked it leaves that to the server");
  takes.hear(hear);
  takes.hear(hear);
  assert.deepEqual(sent, [{ type: "hearing", answer: "a" }, { type: "hearing", answer: "a" }]);
  for (const sound of [SILENCE, SPEECH, SILENCE, SILENCE, SILENCE, SILENCE]) say(sound);
  assert.deepEqual(types(told), ["speech_start", "speech_end", "turn_ended"]);
  assert.ok(told.every(({ answer, isOwn }) => answer === "a" && isOwn));
  assert.ok(Math.abs(told[0].timestamp - 4) < 0.1, "seconds from the beginning of the recording");
});

test("turn that the server heard beginning ends on the page", async () => {
  const { takes, told, say } = await recording();
  takes.hear({ ...hear, is_in_turn: true });
  for (let n = 0; n < 4; n++) say(SILENCE);
  assert.deepEqual(types(told), ["speech_end", "turn_ended"]);
});

test("server listens again after each resume", async () => {
  const { takes, told, say } = await recording();
  takes.hear({ ...hear, is_in_turn: true });
  takes.resumed({ answer: "a", recording: "r", offset: 0 });
  for (let n = 0; n < 4; n++) say(SILENCE);
  assert.deepEqual(told, []);
});

test("page does not hear for an answer that it does not record", async () => {
  const { takes, sent } = await recording();
  takes.hear({ ...hear, answer: "another" });
  assert.deepEqual(sent, []);
});

const answered = (status) => ({ session: {}, answers: [{ id: "b", recording: { id: "q", status } }] });

/** Takes of a page that still has the recording "q" of an answer that it gave. */
async function holding(t, config) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { takes, room } = await recording(config);
  await takes.store.begin("q", "b");
  const settle = (status) => {
    room.state = answered(status);
    takes.settle({ isWhole: false });
  };
  let now = 0;
  t.mock.method(performance, "now", () => now);
  const wait = (ms) => {
    now += ms;
    t.mock.timers.tick(ms);
  };
  return { takes, settle, wait };
}

test("a stored recording leaves the device at once", async (t) => {
  const { takes, settle } = await holding(t, {});
  settle("stored");
  assert.ok(!takes.store.has("q"));
});

test("where a standby set may need it, it leaves later", async (t) => {
  const { takes, settle, wait } = await holding(t, { audio_kept_s: 60 });
  settle("stored");
  wait(59_000);
  assert.ok(takes.store.has("q"));
  wait(1_000);
  assert.ok(!takes.store.has("q"));
});

test("a recording that the standby set asks for again stays", async (t) => {
  const { takes, settle, wait } = await holding(t, { audio_kept_s: 60 });
  settle("stored");
  wait(59_000);
  settle("sealed");
  wait(61_000);
  assert.ok(takes.store.has("q"));
});

test("a discarded recording is never kept", async (t) => {
  const { takes, settle } = await holding(t, { audio_kept_s: 60 });
  settle("discarded");
  assert.ok(!takes.store.has("q"));
});

test("a take of an answer that the standby set does not know ends", async () => {
  const { takes } = await recording();
  takes.current.isConfirmed = true;
  takes.recorder.stop = async () => {};
  takes.settle({ isWhole: true });
  assert.equal(takes.current, null);
});
