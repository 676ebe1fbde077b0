/* Links words and audio in both directions. One answer plays at a time. */
const answers = [...document.querySelectorAll("[data-answer]")].map((article) => ({
  article,
  audio: article.querySelector("audio"),
  words: [...article.querySelectorAll("[data-start]")].map((span) => ({
    span,
    start: Number(span.dataset.start),
    end: Number(span.dataset.end),
  })),
  shown: -1,
}));

/* The last word that has begun at `time`; -1 before the first. */
export function wordAt(words, time) {
  let low = 0;
  let high = words.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (words[middle].start <= time) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function show(answer, index) {
  if (index === answer.shown) return;
  answer.words[answer.shown]?.span.classList.remove("ip-current");
  answer.words[index]?.span.classList.add("ip-current");
  answer.shown = index;
}

/* The audio loads on first use, and then starts at the requested time. */
function seek(answer, time) {
  const { audio } = answer;
  if (audio.readyState >= HTMLMediaElement.HAVE_METADATA) {
    audio.currentTime = time;
  } else {
    audio.addEventListener("loadedmetadata", () => { audio.currentTime = time; }, { once: true });
    audio.preload = "metadata";
    if (audio.networkState !== HTMLMediaElement.NETWORK_LOADING) audio.load();
  }
}

function goTo(answer, index) {
  const target = Math.min(Math.max(index, 0), answer.words.length - 1);
  if (target < 0 || !answer.audio) return;
  show(answer, target);
  seek(answer, answer.words[target].start);
}

function play(answer) {
  answer.audio?.play().catch(() => {});  // the player shows the error
}

function follow(answer) {
  if (answer.audio.paused) return;
  show(answer, wordAt(answer.words, answer.audio.currentTime));
  requestAnimationFrame(() => follow(answer));
}

function begin(answer) {
  for (const other of answers) if (other !== answer) other.audio?.pause();
  latest = answer;
  follow(answer);
}

let latest = answers.find((answer) => answer.audio) ?? answers[0];

for (const answer of answers) {
  answer.audio?.addEventListener("play", () => begin(answer));
  answer.audio?.addEventListener("seeked", () => {
    if (answer.audio.paused) show(answer, wordAt(answer.words, answer.audio.currentTime + 0.001));
  });
  answer.article.addEventListener("focusin", () => { latest = answer; });
  answer.article.querySelector("[data-transcript]")?.addEventListener("click", (event) => {
    const span = event.target.closest("[data-start]");
    const isSelecting = String(window.getSelection()) !== "";
    if (!span || !answer.audio || isSelecting) return;
    goTo(answer, answer.words.findIndex((word) => word.span === span));
    play(answer);
  });
}

function focusOn(answer) {
  if (!answer) return;
  latest = answer;
  (answer.article.querySelector("[data-transcript]") ?? answer.article).focus();
}

const keys = {
  " ": (answer) => (answer.audio?.paused ? play(answer) : answer.audio?.pause()),
  ArrowLeft: (answer) => goTo(answer, answer.shown - 1),
  ArrowRight: (answer) => goTo(answer, answer.shown + 1),
  ArrowUp: (answer) => focusOn(answers[answers.indexOf(answer) - 1]),
  ArrowDown: (answer) => focusOn(answers[answers.indexOf(answer) + 1]),
};

/* Keys work inside a review and when nothing has the focus. A focused control keeps its own keys. */
document.addEventListener("keydown", (event) => {
  const isPlain = !(event.altKey || event.ctrlKey || event.metaKey || event.shiftKey);
  const isElsewhere = document.activeElement !== document.body && !document.activeElement.closest("[data-answer]");
  const isControl = event.target.closest("input, select, textarea, button, a, summary, audio");
  if (!isPlain || isElsewhere || isControl || !latest || !keys[event.key]) return;
  event.preventDefault();
  keys[event.key](latest);
});
