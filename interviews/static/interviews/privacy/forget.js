// On the page after an erasure: audio that this browser had not delivered yet is deleted as well.

import { Store } from "../audio/store.js";

// The name of the interview's recordings on this device, whichever link opened the page.
const store = new Store(JSON.parse(document.getElementById("store").textContent), { keepAudio: false });
await store.open();
await Promise.all(store.recordings.map(({ id }) => store.remove(id)));
