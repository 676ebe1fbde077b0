// See static.mjs.

/** interviews/static/voice/waits.js, which a browser fetches as /static/voice/waits.js, lies in voice/static/. */
export function resolve(specifier, context, next) {
  if (!specifier.startsWith(".")) return next(specifier, context);
  const { href } = new URL(specifier, context.parentURL);
  return next(href.replace("/interviews/static/voice/", "/voice/static/voice/"), context);
}
