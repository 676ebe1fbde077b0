import assert from "node:assert/strict";
import { test } from "node:test";
import { PageFacts } from "../../interviews/static/interviews/page-facts.js";

/** A page whose connection notes what is sent. */
function opened({ has_page_facts = true, status = "under_way", screen = new EventTarget() } = {}) {
  const sent = [];
  const room = {
    state: { session: { has_page_facts, status } },
    connection: { send: (message) => Boolean(sent.push(message)) },
  };
  const page = Object.assign(new EventTarget(), { hidden: false });
  const view = Object.assign(new EventTarget(), { screen });
  const facts = new PageFacts(room, page, view);
  const see = (isSeen) => {
    page.hidden = !isSeen;
    page.dispatchEvent(new Event("visibilitychange"));
  };
  const paste = (text, part = "text") => {
    const event = Object.assign(new Event("paste"), { clipboardData: { getData: () => text } });
    Object.defineProperty(event, "target", { value: { dataset: { part }, maxLength: 10_000 } });
    page.dispatchEvent(event);
  };
  return { room, view, facts, sent, see, paste, types: () => sent.map(({ type }) => type) };
}

test("page that is left and comes back says so", () => {
  const { facts, see, types } = opened();
  facts.follow({ isWhole: true });
  see(false);
  see(true);
  assert.deepEqual(types(), ["page_back", "page_left", "page_back"]);
});

test("page says nothing where the interview does not want it, or no question is asked", () => {
  for (const session of [{ has_page_facts: false }, { status: "practising" }, { status: "finished" }]) {
    const { facts, see, paste, sent } = opened({ ...session, screen: { isExtended: true } });
    facts.follow({ isWhole: true });
    see(false);
    see(true);
    paste("a text");
    assert.deepEqual(sent, []);
  }
});

test("page that is loaded again was not left", () => {
  const { facts, view, see, types } = opened();
  facts.follow({ isWhole: true });
  view.dispatchEvent(new Event("pagehide"));
  see(false);
  assert.deepEqual(types(), ["page_back"]);
});

test("pasted text is counted, and stays on the device", () => {
  const { facts, paste, sent } = opened();
  facts.follow({ isWhole: true });
  paste("My secret.");
  paste("elsewhere", "microphone");
  assert.deepEqual(sent.slice(1), [{ type: "pasted", characters: 10 }]);
});

test("second screen is told once, also if it comes later", () => {
  const screen = Object.assign(new EventTarget(), { isExtended: false });
  const { facts, types } = opened({ screen });
  facts.follow({ isWhole: true });
  screen.isExtended = true;
  for (let n = 0; n < 2; n++) screen.dispatchEvent(new Event("change"));
  assert.deepEqual(types(), ["page_back", "second_screen"]);
});

test("page that came back after the interview's end says so once", () => {
  const { room, facts, see, types } = opened();
  facts.follow({ isWhole: true });
  see(false);
  room.state.session.status = "finished";
  facts.follow({ isWhole: false });
  for (let n = 0; n < 2; n++) see(true);
  assert.deepEqual(types(), ["page_back", "page_left", "page_back"]);
});
