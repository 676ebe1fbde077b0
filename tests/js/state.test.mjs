import assert from "node:assert/strict";
import { test } from "node:test";
import {
  apply, arrivalOf, focusAnswer, forgettable, isStillWanted, isWaitingForServer, mainQuestions, newsOf, noticeOf, stepOf,
  thinkLeftS, timesOf, unstored,
} from "../../interviews/static/interviews/state.js";

const answer = (id, rest = {}) => ({
  id, kind: "question", position: Number(id.slice(1)), status: "pending", recording: null, think_s: 30, ...rest,
});
const state = (status, ...answers) => ({ session: { status, current_answer: null }, answers });
const local = (rest = {}) => ({
  inFlow: false, isWriting: false, heard: null, starting: null, live: null, ended: new Set(), problem: null, ...rest,
});
const practice = answer("q0", { kind: "practice" });
const given = (server, accommodation) => ({ ...server, session: { ...server.session, accommodation } });
const written = (...rest) => given(state(...rest), { extra_percent: 50, is_written: true });

test("event replaces the session and the answer of the same id", () => {
  const before = state("under_way", answer("q1"), answer("q2"));
  const after = apply(before, { session: { status: "finished" }, answer: answer("q2", { status: "asked" }) });
  assert.equal(after.session.status, "finished");
  assert.deepEqual(after.answers.map(({ status }) => status), ["pending", "asked"]);
  assert.equal(before.answers[1].status, "pending");
});

test("follow-up comes after its question, and is asked before the next one", () => {
  const before = state("under_way", practice, answer("q1", { status: "accepted", follow_up: 0 }), answer("q2", { follow_up: 0 }));
  const followUp = answer("q1", { id: "f1", kind: "follow_up", follow_up: 1 });
  const after = apply(before, { session: { status: "under_way", current_answer: "f1" }, answer: followUp });
  assert.deepEqual(after.answers.map(({ id }) => id), ["q0", "q1", "f1", "q2"]);
  assert.equal(focusAnswer(after).id, "f1");
  assert.deepEqual(mainQuestions(after).map(({ id }) => id), ["q1", "q2"]);
});

test("page waits at the answer that a follow-up is awaited to, also after the last question", () => {
  const awaiting = (...answers) => {
    const now = state("under_way", ...answers);
    return { ...now, session: { ...now.session, current_answer: "q1", is_follow_up_awaited: true } };
  };
  const last = awaiting(answer("q1", { status: "accepted" }));
  assert.equal(focusAnswer(last).id, "q1");
  assert.equal(stepOf(last, local({ inFlow: true })), "wait");
  assert.equal(stepOf(awaiting(answer("q1", { status: "accepted" }), answer("q2")), local()), "wait");
});

test("event that was overtaken changes nothing, the session and the answer each for itself", () => {
  const at = (version, status) => answer("q1", { status, version });
  const held = { session: { status: "under_way", version: 4 }, answers: [at(7, "recording")] };
  const late = { session: { status: "practising", version: 3 }, answer: at(8, "accepted") };
  const after = apply(held, late);
  assert.deepEqual([after.session.status, after.answers[0].status], ["under_way", "accepted"]);
  const stale = { session: { status: "finished", version: 4 }, answer: at(6, "asked") };
  const then = apply(held, stale);
  assert.deepEqual([then.session.status, then.answers[0].status], ["finished", "recording"]);
});

test("session and answer without a version count as newer", () => {
  const held = { session: { status: "under_way", version: 4 }, answers: [answer("q1", { version: 7 })] };
  const after = apply(held, { session: { status: "finished" }, answer: answer("q1", { status: "asked" }) });
  assert.deepEqual([after.session.status, after.answers[0].status], ["finished", "asked"]);
});

test("copy on this device is forgotten only when its answer says stored or discarded", () => {
  const named = (id, status) => answer(id, { recording: { id: `r-${id}`, status } });
  const now = state("under_way", named("q1", "stored"), named("q2", "discarded"), named("q3", "sealed"));
  const held = ["r-q1", "r-q2", "r-q3", "retaken"];
  assert.deepEqual(forgettable(now, held, { isWhole: false }), ["r-q1", "r-q2"]);
  assert.deepEqual(forgettable(now, held, { isWhole: true }), ["r-q1", "r-q2", "retaken"]);
});

test("answer has arrived when its text or its stored recording has, and is not on its way when discarded", () => {
  const of = (status, typed = null) => arrivalOf({ typed_text: typed, recording: status && { id: "r", status } });
  assert.deepEqual([of("open"), of("sealed")], ["saving", "saving"]);
  assert.deepEqual([of("discarded"), of(null)], ["no-answer", "no-answer"]);
  assert.deepEqual([of("stored"), of("sealed", "written")], ["saved", "saved"]);
});

test("page waits for the server while a command or an answer is on its way", () => {
  const sent = (status) => state("finished", answer("q1", { status: "accepted", recording: { id: "r", status } }));
  assert.equal(isWaitingForServer(sent("sealed"), "finish", null), true);
  assert.equal(isWaitingForServer(sent("stored"), "finish", null), false);
  assert.equal(isWaitingForServer(sent("stored"), "saving", null), true);
  assert.equal(isWaitingForServer(sent("stored"), "record", null), false);
  assert.equal(isWaitingForServer(sent("stored"), "record", { type: "ask" }), true);
});

test("focus is on the practice first, then on the first question not accepted", () => {
  assert.equal(focusAnswer(state("practising", practice, answer("q1"))).id, "q0");
  assert.equal(focusAnswer(state("under_way", practice, answer("q1", { status: "accepted" }), answer("q2"))).id, "q2");
  assert.equal(focusAnswer(state("under_way", practice, answer("q1", { status: "accepted" }))), null);
});

const open = { id: "r1", status: "open", bytes: null };
const asked = answer("q1", { status: "asked" });
const recording = answer("q1", { status: "recording", recording: open });
const live = { answer: "q1", recording: "r1" };
for (const [step, server, page] of [
  ["check", state("checking", practice), {}],
  ["problem", state("checking", practice), { problem: { code: "no_microphone" } }],
  ["practice", state("practising", practice), {}],
  ["wait", state("practising", practice), { inFlow: true }],
  ["ready", state("under_way", practice, answer("q1")), {}],
  ["ask", state("under_way", asked), { inFlow: true }],
  ["think", state("under_way", asked), { inFlow: true, heard: "q1" }],
  ["write", state("under_way", asked), { inFlow: true, isWriting: true }],
  ["write", written("under_way", asked), { inFlow: true }],
  ["wait", written("checking", practice), {}], // nothing is checked, and nothing practised
  ["wait", written("practising", practice), {}],
  ["ready", written("under_way", practice, answer("q1")), {}],
  ["record", written("under_way", recording), { inFlow: true, live }], // given while the candidate speaks
  ["think", given(state("under_way", asked), null), { inFlow: true, heard: "q1" }],
  ["starting", state("under_way", asked), { inFlow: true, heard: "q1", starting: "q1" }],
  ["record", state("under_way", recording), { inFlow: true, live }],
  ["record", state("under_way", asked), { inFlow: true, live }], // resume came before answer_began
  ["saving", state("under_way", recording), { inFlow: true, live, ended: new Set(["r1"]) }],
  ["saving", state("under_way", recording), { ended: new Set(["r1"]) }], // reloaded while saving
  ["resume", state("under_way", recording), {}],
  ["resume", state("under_way", asked), {}],
  ["resume", state("under_way", answer("q1", { status: "accepted" }), answer("q2")), {}],
  ["review", state("under_way", answer("q1", { status: "recorded" })), {}],
  ["finish", state("under_way", answer("q1", { status: "accepted" })), { inFlow: true }],
  ["finish", state("finished", answer("q1", { status: "accepted" })), {}],
  ["finish", state("finished", answer("q1", { status: "accepted" })), { problem: { code: "taken_over" } }],
  ["problem", state("finished", { ...recording, status: "accepted" }), { problem: { code: "taken_over" } }],
]) {
  test(`step is ${step} when ${server.session.status}, ${JSON.stringify(page, (_, v) => (v instanceof Set ? [...v] : v))}`, () => {
    assert.equal(stepOf(server, local(page)), step);
  });
}

test("command is wanted until the server has acted on it", () => {
  const begin = { type: "begin_answer", answer: "q1" };
  assert.equal(isStillWanted(state("under_way", asked), begin), true);
  assert.equal(isStillWanted(state("under_way", recording), begin), false);
  assert.equal(isStillWanted(state("practising", practice), { type: "devices_checked" }), false);
});

test("question that is put once more is news, and so is an answer that the server has begun", () => {
  const again = answer("q1", { status: "asked", is_asked_again: true });
  const silent = answer("q1", { status: "recording", recording: open, is_asked_again: false });
  const mine = { answer: "q1", recording: "r" };
  assert.equal(newsOf(silent, again, local()), "asked-again");
  assert.equal(newsOf(again, again, local()), null);
  assert.equal(newsOf(asked, silent, local()), "begun-by-server");
  assert.equal(newsOf(asked, silent, local({ starting: "q1" })), null);
  assert.equal(newsOf(asked, silent, local({ live: mine })), null);
  assert.equal(newsOf(silent, silent, local()), null);
});

test("unstored are those with audio under way, the current one last", () => {
  const sealed = (id) => answer(id, { status: "accepted", recording: { id: `r-${id}`, status: "sealed" } });
  const stored = answer("q3", { status: "accepted", recording: { id: "r-q3", status: "stored" } });
  const current = answer("q1", { status: "recording", recording: open });
  assert.deepEqual(unstored(state("under_way", current, sealed("q2"), stored)).map(({ id }) => id), ["q2", "q1"]);
});

test("time to think goes on after a reload but never falls below ten seconds", () => {
  const at = { think_s: 30, asked_at: "2026-01-01T00:00:00Z" };
  const after = (seconds) => Date.parse(at.asked_at) + seconds * 1000;
  assert.equal(thinkLeftS(at, after(5)), 25);
  assert.equal(thinkLeftS(at, after(500)), 10);
  assert.equal(thinkLeftS({ ...at, think_s: 5 }, after(500)), 5);
});

test("transcript that was put off says so until there are words", () => {
  assert.equal(noticeOf({ status: "waiting", is_deferred: false, text: "" }), "transcript-waiting");
  assert.equal(noticeOf({ status: "waiting", is_deferred: true, text: "" }), "transcript-deferred");
  assert.equal(noticeOf({ status: "failed", is_deferred: true, text: "" }), "transcript-failed");
  assert.equal(noticeOf({ status: "no_engine", is_deferred: true, text: "" }), "transcript-no_engine");
  assert.equal(noticeOf({ status: "done", is_deferred: true, text: "So" }), null);
});

test("times are extended for a candidate with an accommodation, and rounded up as the server does", () => {
  const of = (accommodation) => timesOf({ accommodation }, { think_s: 30, limit_s: 61 });
  assert.deepEqual(of(null), { thinkS: 30, limitS: 61 });
  assert.deepEqual(of(undefined), { thinkS: 30, limitS: 61 }); // a server of the release before
  assert.deepEqual(of({ extra_percent: 25 }), { thinkS: 38, limitS: 77 });
  assert.deepEqual(of({ extra_percent: 100, is_untimed: true }), { thinkS: null, limitS: null });
  assert.deepEqual(timesOf({ accommodation: { extra_percent: 50 } }, { think_s: 0, limit_s: null }), { thinkS: 0, limitS: null });
});

test("think time left after coming back is what the candidate has", () => {
  const at = { think_s: 20, asked_at: "2026-01-01T00:00:00Z" };
  assert.equal(thinkLeftS(at, Date.parse("2026-01-01T00:00:05Z"), 40), 35);
});
