import assert from "node:assert/strict";
import { test } from "node:test";

const listeners = {};
globalThis.document = { addEventListener: (name, listener) => (listeners[name] ??= []).push(listener) };
globalThis.FormData = class {};
await import("../../interviews/static/admin/interviews/evaluation.js");

/** Change a level; resolve to what the page says of the draft. */
async function saidAfter(answer) {
  globalThis.fetch = async () => answer;
  const state = {};
  const said = new Promise((resolve) => Object.defineProperty(state, "textContent", { set: resolve }));
  const form = { dataset: { draft: "/draft/", failed: "Not kept" }, querySelector: () => state };
  listeners.change[0]({ type: "change", target: { closest: () => form } });
  return said;
}

const answer = (status, text, more = {}) => ({
  status, ok: status < 300, redirected: false, text: async () => text, ...more,
});

test("draft that was kept or refused says so in the server's words", async () => {
  assert.equal(await saidAfter(answer(200, "Draft kept at 10:00")), "Draft kept at 10:00");
  assert.equal(await saidAfter(answer(409, "It was submitted.")), "It was submitted.");
});

test("draft is not kept where the server answers with a page", async () => {
  for (const status of [403, 404, 500, 502]) assert.equal(await saidAfter(answer(status, "<html>")), "Not kept");
  assert.equal(await saidAfter(answer(200, "<html>", { redirected: true })), "Not kept");
});
