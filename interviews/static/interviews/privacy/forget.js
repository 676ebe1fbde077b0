// On the page after an erasure: audio that this browser had not delivered yet is deleted as well.

import { Store } from "../audio/store.js";

const [, , token] = location.pathname.split("/"); // /i/<token>/data/; the store keeps recordings under the token
const store = new Store(token, { keepAudio: false });
await store.open();
await Promise.all(store.recordings.map(({ id }) => store.remove(id)));
