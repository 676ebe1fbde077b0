/* Follows the chosen language: filters the voices, and changes the consent text while it is an unedited default.
   Without this script all voices are offered, and the server rejects a voice of another language. */
const language = document.getElementById("id_language");
const voice = document.getElementById("id_voice");
const consent = document.getElementById("id_consent_text");

function offerVoices() {
  for (const option of voice.options) {
    const isOther = Boolean(option.dataset.language) && option.dataset.language !== language.value;
    option.hidden = option.disabled = isOther;
  }
  if (voice.selectedOptions[0]?.disabled) voice.value = "";
}

function translateConsent() {
  const defaults = Object.entries(consent.dataset).filter(([name]) => name.startsWith("default"));
  const isUntouched = defaults.some(([, text]) => text.trim() === consent.value.replaceAll("\r\n", "\n").trim());
  const name = `default${language.value[0].toUpperCase()}${language.value.slice(1)}`;
  if (isUntouched) consent.value = consent.dataset[name] ?? consent.dataset.defaultEn;
}

if (language && voice?.options && consent) {
  language.addEventListener("change", offerVoices);
  language.addEventListener("change", translateConsent);
  offerVoices();
}
