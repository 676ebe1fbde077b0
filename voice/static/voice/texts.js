// The page's texts come from a <template>, so that the server translates them.

const texts = new Map(
  Array.from(document.getElementById("texts").content.querySelectorAll("[data-text]"), (element) => [
    element.dataset.text,
    element.textContent.trim(),
  ]),
);

/** @param {string} name */
export const hasText = (name) => texts.has(name);

/** @param {string} name @param {Record<string, string|number>} [values]  for the {names} in it */
export const text = (name, values = {}) =>
  (texts.get(name) ?? name).replace(/\{(\w+)\}/g, (_, key) => values[key] ?? "");

/** @param {string} name  texts name-one and name-other exist @param {number} n */
export function plural(name, n) {
  const form = new Intl.PluralRules(document.documentElement.lang || "en").select(n);
  return text(texts.has(`${name}-${form}`) ? `${name}-${form}` : `${name}-other`, { n });
}
