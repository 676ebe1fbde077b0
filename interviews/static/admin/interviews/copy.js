/* <button data-copy="#id"> copies the value of that field; where the browser forbids it, selects it for Ctrl+C. */
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
