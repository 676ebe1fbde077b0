// The playground: two independent panels.

import { HearPanel } from "./hear.js";
import { SpeakPanel } from "./speak.js";

const config = JSON.parse(document.getElementById("playground-config").textContent);
const { worklet } = document.getElementById("playground").dataset;

new SpeakPanel(document.getElementById("speak"), config);
new HearPanel(document.getElementById("hear"), { ...config, workletUrl: worklet });
