// The review page: what is clicked and which keys are pressed, and the way from candidate to candidate.

import { askCorrection, askTime, closeCorrection, onGoTo, restoring, showHelp } from "./dialogs.js";
import { Interview, STEP_S } from "./interview.js";
import { listen } from "./keys.js";
import { readMoment, SPEEDS } from "./timeline.js";

const page = document.querySelector("[data-review-page]");
const said = document.querySelector("[data-said]");
const settings = readSettings();
let interview;

function begin() {
  const root = page.querySelector("[data-review]");
  interview = new Interview(root, settings);
  document.title = root.dataset.title;
  const moment = readMoment(location.search);
  if (moment) interview.goTo(moment.position, moment.seconds);
}

function say(name, text = "") {
  said.textContent = `${said.dataset[name]} ${text}`.trim();
  setTimeout(() => { said.textContent = ""; }, 4000);
}

/** Speed and skipping stay as they were chosen in this browser. */
function readSettings() {
  const speed = Number(localStorage.getItem("review.speed"));
  return { speed: SPEEDS.includes(speed) ? speed : 1, isSkipping: localStorage.getItem("review.skip") === "on" };
}

function keepSettings() {
  localStorage.setItem("review.speed", settings.speed);
  localStorage.setItem("review.skip", settings.isSkipping ? "on" : "off");
}

async function copy() {
  if (!interview.player) return;
  const address = new URL(interview.moment, location.href).href;
  const copied = await navigator.clipboard.writeText(address).then(() => true, () => false);
  if (copied) say("copied");
  else say("notCopied", address);
}

function correct(answer) {
  const words = answer?.chosen;
  if (!words) return say("noWord");
  interview.player?.pause();
  const address = answer.article.querySelector("[data-correct]").dataset.correct;
  return askCorrection(words, answer.version, (fields) => send(address, fields, answer.position));
}

/** Send a correction. Resolves to why it was refused, or "". */
async function send(address, fields, position) {
  const response = await fetch(address, { method: "POST", body: fields }).catch(() => null);
  if (!response || response.redirected || response.status >= 500) return said.dataset.lost;
  const text = await response.text();
  if (!response.ok) return text;
  closeCorrection();
  interview.replace(position, text);
  say("corrected");
  return "";
}

async function restore({ dataset }, { position, version }) {
  const refused = await send(dataset.restore, restoring(dataset.first, dataset.last, version), position);
  if (refused) said.textContent = refused;
}

/* Another candidate of the same interview: only what is different is fetched, so that nothing jumps. */

function step(where) {
  const link = page.querySelector(`[data-step=${where}]`);
  if (link) visit(link.href);
  else say(where === "before" ? "first" : "last");
}

async function visit(address) {
  if (await show(address)) {
    history.pushState(null, "", address);
    begin();
    page.querySelector("[data-candidate]").focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }
}

async function show(address) {
  const response = await fetch(address, { headers: { "X-Part": "review" } }).catch(() => null);
  if (!response?.ok || response.redirected) {
    location.assign(address); // signed out, erased, or the server is away: the whole page says so
    return false;
  }
  interview.close();
  page.innerHTML = await response.text();
  window.htmx?.process(page); // the forms beside the answers
  return true;
}

window.addEventListener("popstate", async () => { if (await show(location.href)) begin(); });

const does = {
  toggle: () => interview.toggle(),
  back: () => interview.seekBy(-STEP_S),
  forward: () => interview.seekBy(STEP_S),
  previousWord: () => interview.stepWord(-1),
  nextWord: () => interview.stepWord(1),
  previousAnswer: () => interview.stepAnswer(-1),
  nextAnswer: () => interview.stepAnswer(1),
  slower: () => { interview.changeSpeed(-1); keepSettings(); },
  faster: () => { interview.changeSpeed(1); keepSettings(); },
  skip: () => { interview.toggleSkipping(); keepSettings(); },
  copy,
  correct: () => correct(interview.current),
  before: () => step("before"),
  after: () => step("after"),
  goto: () => { if (interview.player) askTime(); },
  help: showHelp,
};

page.addEventListener("click", (event) => {
  const on = (selector) => event.target.closest(selector);
  const answer = interview.answers.find(({ article }) => article.contains(event.target));
  if (on("[data-do]")) does[on("[data-do]").dataset.do]();
  else if (on("[data-play-answer]")) interview.playFrom(answer.position, 0);
  else if (on("[data-correct]")) correct(answer);
  else if (on("[data-restore]")) restore(on("[data-restore]"), answer);
  else if (on("[data-start]") && window.getSelection().isCollapsed) playWord(on("[data-start]"), answer);
  else if (isPlain(event) && on("[data-step]")) follow(event, () => visit(on("[data-step]").href));
  else if (isPlain(event) && on("[data-moment]")) follow(event, () => goTo(on("[data-moment]")));
});

/* Words that are selected stay so when their button is pressed. */
page.addEventListener("mousedown", (event) => { if (event.target.closest("[data-correct]")) event.preventDefault(); });

function playWord(span, answer) {
  interview.playFrom(answer.position, Number(span.dataset.start));
}

function follow(event, then) {
  event.preventDefault();
  then();
}

function goTo(link) {
  const { position, seconds } = readMoment(link.search);
  interview.goTo(position, seconds);
}

/* A link that is opened in another tab is left to the browser. */
function isPlain(event) {
  return !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
}

begin();
onGoTo((time) => interview.seek(time));
listen(document.querySelector("[data-keys-switch]"), does);
