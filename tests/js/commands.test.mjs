import assert from "node:assert/strict";
import { test } from "node:test";
import { Commands } from "../../interviews/static/interviews/commands.js";

/** A room with one answer. `sent`: what went to the server; `completed`: how often the audio was to end. */
function roomWith(status) {
  const room = { sent: [], completed: 0, state: { session: { status: "under_way" }, answers: [{ id: "a", status }] } };
  room.answer = (id) => room.state.answers.find((answer) => answer.id === id);
  room.connection = { send: (message) => room.sent.push(message) };
  room.uploader = { complete: () => (room.completed += 1) };
  return room;
}

test("command is sent again until the state shows that it arrived", () => {
  const room = roomWith("asked");
  const commands = new Commands(room);
  commands.send("begin_answer", { answer: "a" });
  commands.settle();
  commands.sendAgain();
  assert.deepEqual(room.sent, Array(2).fill({ type: "begin_answer", answer: "a" }));
  room.state.answers[0].status = "recording";
  commands.settle();
  commands.sendAgain();
  assert.equal(commands.pending, null);
  assert.equal(room.sent.length, 2);
});

test("text of an answer that is spoken in part waits for its audio", () => {
  const room = roomWith("recording");
  const commands = new Commands(room);
  commands.send("type_answer", { answer: "a", text: "Yes." });
  commands.sendAgain();
  assert.deepEqual([room.sent, room.completed], [[], 1]);
  assert.equal(commands.writtenAnswer("a").text, "Yes.");
  assert.equal(commands.writtenAnswer("b"), null);
});

test("text of an answer that nothing was spoken of is sent at once", () => {
  const room = roomWith("asked");
  new Commands(room).send("type_answer", { answer: "a", text: "Yes." });
  assert.equal(room.sent.length, 1);
});
