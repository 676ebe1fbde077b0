// The turns that the candidate's page hears in files of PCM, one line of JSON for each file.
// node hear_turns.mjs END_SILENCE_MS FILE...

import { readFileSync } from "node:fs";
import { TurnDetector } from "../../voice/static/voice/turns.js";

const [endSilenceMs, ...files] = process.argv.slice(2);
for (const file of files) {
  const bytes = readFileSync(file);
  const samples = new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
  console.log(JSON.stringify(new TurnDetector({ endSilenceMs: Number(endSilenceMs) }).push(samples)));
}
