// Node finds the modules of one app from those of another as browsers do: all of them lie below /static/.
//
//   node --import ./static.mjs --test store.test.mjs

import { register } from "node:module";

register("./static-hooks.mjs", import.meta.url);
