import assert from "node:assert/strict";
import { test } from "node:test";
import { Store } from "../../interviews/static/interviews/audio/store.js";

/** A store without a database, as in node and in some browsers' private mode. */
async function inMemory(...frames) {
  const store = new Store("token", { keepAudio: false });
  await store.open();
  await store.begin("r", "a");
  for (const [offset, bytes] of frames) await store.append("r", offset, new ArrayBuffer(bytes));
  return store;
}

test.beforeEach((t) => t.mock.method(console, "warn", () => {}));

test("end is that of the last byte kept, beyond a gap too, and never before what the server holds", async () => {
  const store = await inMemory([0, 8000], [16_000, 8000]);
  assert.equal(await store.end("r", 0), 24_000);
  assert.equal(await store.end("r", 32_000), 32_000);
  assert.equal(await store.end("another", 0), 0);
});

test("next offset is where the audio goes on after a gap", async () => {
  const store = await inMemory([8000, 8000], [32_000, 8000], [24_000, 8000]);
  assert.equal(await store.nextOffset("r", 0), 8000);
  assert.equal(await store.nextOffset("r", 16_000), 24_000);
  assert.equal(await store.nextOffset("r", 24_000), 24_000);
  assert.equal(await store.nextOffset("r", 40_000), null);
});

test("frame can be read before the database has taken it", async () => {
  const store = await inMemory();
  const taken = store.append("r", 0, new ArrayBuffer(8000));
  assert.equal((await store.read("r", 6000)).byteLength, 2000);
  await taken;
});
