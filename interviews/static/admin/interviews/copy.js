/* <button data-copy="#id"> copies the value of that field, and data-copy-text="…" copies that text. If the browser
   forbids it, the field is selected for Ctrl+C. Loaded on every admin page. */
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  event.preventDefault();
  const field = button.dataset.copyText ? null : document.querySelector(button.dataset.copy);
  const label = button.querySelector("[data-copy-label]");
  try {
    await navigator.clipboard.writeText(field ? field.value : button.dataset.copyText);
    label.dataset.idle ??= label.textContent;
    label.textContent = button.dataset.copied;
    setTimeout(() => { label.textContent = label.dataset.idle; }, 2000);
  } catch {
    if (field) field.select();
    else window.prompt(button.title, button.dataset.copyText);
  }
});
