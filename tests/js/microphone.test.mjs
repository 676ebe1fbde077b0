import assert from "node:assert/strict";
import { test } from "node:test";
import { WakeLock } from "../../interviews/static/interviews/wake-lock.js";
import { Health } from "../../voice/static/voice/health.js";
import { WaitedTooLong, within } from "../../voice/static/voice/waits.js";

const WELL = { context: "running", isMuted: false, isEnded: false };

/** What `facts` of each half second mean, while samples come whenever the context runs. */
function troubles(...facts) {
  const health = new Health(0);
  return facts.map((each, i) => {
    if ({ ...WELL, ...each }.context === "running" && !each.isStalled) health.came(0.1, 500 * i);
    return health.troubleAt({ ...WELL, ...each }, 500 * i);
  });
}

test("microphone that delivers has no trouble", () => {
  assert.deepEqual(troubles({}, {}, {}, {}, {}, {}), [null, null, null, null, null, null]);
});

for (const state of ["suspended", "interrupted", "closed"]) {
  test(`context that stays ${state} is an interruption, until it runs again`, () => {
    const facts = [{}, { context: state }, { context: state }, { context: state }, {}];
    assert.deepEqual(troubles(...facts), [null, null, null, "interrupted", null]);
  });
}

test("context that is suspended for a moment, as when devices change, is no trouble", () => {
  const off = { context: "suspended" };
  assert.deepEqual(troubles({}, off, {}, off, {}), [null, null, null, null, null]);
});

test("muted microphone is told, though it delivers silence", () => {
  const muted = { isMuted: true };
  assert.deepEqual(troubles(muted, muted, muted, {}), [null, null, "muted", null]);
});

test("no sample in two seconds is trouble, whatever the browser says", () => {
  const stalled = { isStalled: true };
  assert.deepEqual(troubles({}, stalled, stalled, stalled, stalled, {}), [null, null, null, null, "no_samples", null]);
});

test("page that slept does not blame its microphone", () => {
  const health = new Health(0);
  assert.equal(health.troubleAt(WELL, 500), null);
  assert.equal(health.troubleAt(WELL, 60_000), null);
  assert.deepEqual([60_500, 61_000, 61_500, 62_000].map((at) => health.troubleAt(WELL, at)), [null, null, null, "no_samples"]);
});

test("track that has ended is told at once", () => {
  assert.deepEqual(troubles({}, { isEnded: true }), [null, "unplugged"]);
});

test("next to nothing is no sound, though it is samples", () => {
  const health = new Health(0);
  health.came(0.001, 1000);
  assert.equal(health.hasSound(2900), true);
  health.came(0.00004, 2900);
  assert.equal(health.hasSound(3000), false);
  assert.equal(health.troubleAt(WELL, 3000), null);
});

/** A page that can be hidden, and a navigator that counts the locks it gave. */
function browser({ isRefusing = false } = {}) {
  const page = Object.assign(new EventTarget(), { hidden: false });
  const locks = [];
  const request = async () => {
    if (isRefusing) throw new Error("battery is low");
    const lock = { released: false, release: async () => (lock.released = true) };
    locks.push(lock);
    return lock;
  };
  const show = (isShown) => {
    page.hidden = !isShown;
    if (!isShown) locks.forEach((lock) => (lock.released = true)); // as browsers do
    page.dispatchEvent(new Event("visibilitychange"));
    return settled();
  };
  return { page, locks, show, navigator: { wakeLock: { request } } };
}
const settled = () => new Promise((resolve) => setTimeout(resolve));

test("screen is kept on again after the page was hidden, and not after the interview", async () => {
  const { page, locks, show, navigator } = browser();
  const wakeLock = new WakeLock(navigator, page);
  await show(true);
  assert.equal(locks.length, 0);
  wakeLock.keep();
  await settled();
  await show(false);
  assert.equal(locks.length, 1);
  await show(true);
  await show(true);
  assert.deepEqual(locks.map(({ released }) => released), [true, false]);
  await wakeLock.release();
  await show(false);
  await show(true);
  assert.deepEqual(locks.map(({ released }) => released), [true, true]);
});

test("page goes on where the screen cannot be kept on", async () => {
  for (const navigator of [browser({ isRefusing: true }).navigator, {}]) {
    const wakeLock = new WakeLock(navigator, browser().page);
    wakeLock.keep();
    await settled();
    await wakeLock.release();
  }
});

test("wait for the browser ends, with its answer, its error or none", async () => {
  assert.equal(await within(Promise.resolve(3), 1000), 3);
  await assert.rejects(within(Promise.reject(new TypeError("no")), 1000), TypeError);
  await assert.rejects(within(new Promise(() => {}), 1), WaitedTooLong);
});
