// Finds voices by language, and by any word that describes them. Pure.

/**
 * @typedef {object} Voice  from GET /api/v1/voice/voices
 * @property {string} id
 * @property {string} language
 * @property {string} name
 * @property {string} engine
 * @property {string} quality
 */

/**
 * The voices that match every word of the query, by language.
 * @param {Voice[]} voices
 * @param {string} query
 * @param {{languageName: (tag: string) => string, qualityName: (quality: string) => string}} words
 * @returns {{name: string, voices: {id: string, label: string}[]}[]}  languages in the order of their names
 */
export function grouped(voices, query, { languageName, qualityName }) {
  const wanted = folded(query).split(/\s+/).filter(Boolean);
  const groups = new Map();
  for (const voice of voices) {
    const name = languageName(voice.language);
    const label = `${voice.name} (${voice.engine}, ${qualityName(voice.quality)})`;
    const all = folded(`${name} ${voice.language} ${label} ${voice.id}`);
    if (!wanted.every((word) => all.includes(word))) continue;
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push({ id: voice.id, label });
  }
  return Array.from(groups, ([name, fitting]) => ({ name, voices: fitting })).sort((a, b) =>
    a.name.localeCompare(b.name),
  );
}

/** The initial voice: the first of that language. @param {Voice[]} voices @param {string} language */
export const firstOf = (voices, language) =>
  (voices.find((voice) => primary(voice.language) === primary(language)) ?? voices[0])?.id ?? "";

/** @param {string} tag  "de-AT" @returns {string} "de" */
export const primary = (tag) => tag.split(/[-_]/)[0].toLowerCase();

/** Without accents and capitals, so that "francais" finds "Français". @param {string} words */
const folded = (words) => words.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

/**
 * Names of languages in the page's language; the tag itself if there is no name.
 * @param {string} pageLanguage
 */
export function languageNames(pageLanguage) {
  const names = new Intl.DisplayNames([pageLanguage], { type: "language", fallback: "code" });
  return (tag) => {
    try {
      return names.of(tag.replaceAll("_", "-"));
    } catch {
      return tag; // espeak has its own tags
    }
  };
}
