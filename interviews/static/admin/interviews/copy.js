/* <button data-copy="#id"> copies the value of that field. With data-copy-from="address" the text comes from that
   address, which logs who was shown it, and is put into the field, if there is one. If the browser forbids to copy,
   the text is selected or shown for Ctrl+C. Loaded on every admin page. */
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  event.preventDefault();
  const field = button.dataset.copy ? document.querySelector(button.dataset.copy) : null;
  const text = button.dataset.copyFrom ? ask(button.dataset.copyFrom) : Promise.resolve(field.value);
  const copying = copy(text).then(() => true, () => false); // at once: Safari allows it only during the click
  try {
    const value = await text;
    if (field) field.value = value;
    if (await copying) say(button, button.dataset.copied);
    else if (field) field.select();
    else window.prompt(button.title, value);
  } catch {
    say(button, button.dataset.failed);
  }
});

/** @param {string} address @returns {Promise<string>} */
async function ask(address) {
  const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
  const response = await fetch(address, { method: "POST", headers: { "X-CSRFToken": token } });
  if (!response.ok || response.redirected) throw new Error(`status ${response.status}`);
  return response.text();
}

/** @param {Promise<string>} text */
async function copy(text) {
  const blob = text.then((value) => new Blob([value], { type: "text/plain" }));
  blob.catch(() => {}); // the caller says so
  await navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
}

/** @param {HTMLElement} button @param {string} words  in place of its own for two seconds */
function say(button, words) {
  const label = button.querySelector("[data-copy-label]");
  label.dataset.idle ??= label.textContent;
  label.textContent = words;
  setTimeout(() => { label.textContent = label.dataset.idle; }, 2000);
}
