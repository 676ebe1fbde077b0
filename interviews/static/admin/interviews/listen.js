/* One audio element for the page: a second click, or another question, stops playback. */
const audio = new Audio();
let pressed = null;

function show(button, isPlaying) {
  const icon = button.querySelector(".material-symbols-outlined");
  const label = button.querySelector("[data-listen-label]");
  icon.textContent = isPlaying ? "stop" : "play_arrow";
  label.dataset.idle ??= label.textContent;
  label.textContent = isPlaying ? label.dataset.playing : label.dataset.idle;
  button.setAttribute("aria-pressed", String(isPlaying));
}

function stop() {
  audio.pause();
  if (pressed) show(pressed, false);
  pressed = null;
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-listen]");
  if (!button) return;
  const isSame = button === pressed;
  stop();
  if (isSame) return;
  pressed = button;
  show(button, true);
  audio.src = button.dataset.listen;
  try {
    await audio.play();
  } catch (error) {
    if (error.name !== "AbortError" && pressed === button) stop();
  }
});

audio.addEventListener("ended", stop);
audio.addEventListener("error", stop);
