import assert from "node:assert/strict";
import { test } from "node:test";
import { termsOf } from "../../interviews/static/admin/interviews/vocabulary.js";

test("terms are one a line, with how they are spoken after the first sign", () => {
  assert.deepEqual(termsOf("Kafka\n\n  Nguyen = win \r\na=b=c\n= only"), [
    { written: "Kafka", spoken: "" },
    { written: "Nguyen", spoken: "win" },
    { written: "a", spoken: "b=c" },
  ]);
});
