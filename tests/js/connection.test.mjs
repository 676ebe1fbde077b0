import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Connection } from "../../interviews/static/interviews/connection.js";

let handlers, sockets, nowMs;
globalThis.location = { href: "http://interview.example/i/t/room/" };
globalThis.addEventListener = (name, handler) => (handlers[name] ??= []).push(handler);
globalThis.WebSocket = class {
  constructor(url) {
    this.query = new URL(url).searchParams;
    sockets.push(this);
  }
  close() {}
  send() {}
};
const fire = (name) => handlers[name].forEach((handler) => handler());

beforeEach((t) => {
  [handlers, sockets, nowMs] = [{}, [], 0];
  t.mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  t.mock.method(performance, "now", () => nowMs);
  t.mock.method(Math, "random", () => 1);
});

const snapshot = { data: '{"type": "snapshot"}' };
function connected() {
  const connection = new Connection("/ws/interviews/t/");
  connection.connect();
  sockets[0].onopen();
  sockets[0].onmessage(snapshot);
  return connection;
}

for (const code of [4001, 4004, 4010, 4401]) {
  test(`connection closed with ${code} stays away, whatever the network does`, (t) => {
    const connection = connected();
    sockets[0].onclose({ code });
    fire("online");
    connection.refresh();
    t.mock.timers.tick(60_000);
    assert.equal(sockets.length, 1);
  });
}

test("page that left stays away until the candidate wants the interview here", (t) => {
  const connection = connected();
  connection.close(); // on taken_over
  fire("online");
  t.mock.timers.tick(60_000);
  assert.equal(sockets.length, 1);
  connection.connect();
  assert.equal(sockets[1].query.get("claim"), "1");
});

test("only what the candidate does claims the interview, and under one name", (t) => {
  const connection = connected();
  sockets[0].onclose({ code: 1006 });
  t.mock.timers.tick(1_000);
  sockets[1].onopen();
  connection.refresh();
  t.mock.timers.tick(2_000);
  assert.deepEqual(sockets.map(({ query }) => query.get("claim")), ["1", null, null]);
  assert.equal(new Set(sockets.map(({ query }) => query.get("tab"))).size, 1);
  assert.match(sockets[0].query.get("tab"), /^[0-9a-f]{32}$/);
});

test("claim is repeated until the server has answered", (t) => {
  new Connection("/ws/interviews/t/").connect();
  sockets[0].onclose({ code: 1006 });
  t.mock.timers.tick(1_000);
  assert.equal(sockets[1].query.get("claim"), "1");
});

test("pauses grow while connections do not last, and are short again after one that did", (t) => {
  connected();
  for (const pauseMs of [1_000, 2_000, 4_000, 8_000, 8_000]) {
    const count = sockets.length;
    sockets.at(-1).onopen();
    sockets.at(-1).onmessage(snapshot);
    nowMs += 4_999;
    sockets.at(-1).onclose({ code: 1013 });
    t.mock.timers.tick(pauseMs - 1);
    assert.equal(sockets.length, count);
    t.mock.timers.tick(1);
    assert.equal(sockets.length, count + 1);
  }
  sockets.at(-1).onopen();
  nowMs += 5_000;
  sockets.at(-1).onclose({ code: 1012 });
  t.mock.timers.tick(1_000);
  assert.equal(sockets.length, 7);
});

test("pages that one process lets go come back over a second, not together", (t) => {
  t.mock.method(Math, "random", () => 0.1);
  connected();
  sockets[0].onclose({ code: 1012 });
  t.mock.timers.tick(99);
  assert.equal(sockets.length, 1);
  t.mock.timers.tick(1);
  assert.equal(sockets.length, 2);
});

test("pings come at intervals of their own", (t) => {
  const pings = [];
  const rolls = [0, 1, 0.5, 0];
  t.mock.method(Math, "random", () => rolls.shift());
  connected();
  sockets[0].send = () => pings.push(nowMs);
  for (; nowMs < 15_500; nowMs += 500) {
    sockets[0].onmessage({ data: '{"type": "pong"}' });
    t.mock.timers.tick(500);
  }
  assert.deepEqual(pings, [3_500, 9_500, 14_500]);
});

test("fresh snapshot is fetched no sooner than asked", (t) => {
  connected().refresh(1000);
  t.mock.timers.tick(999);
  assert.equal(sockets.length, 1);
  t.mock.timers.tick(1);
  assert.equal(sockets.length, 2);
});
