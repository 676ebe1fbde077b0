/* Helps with the own scorecard: keys for levels, a draft that is kept while one writes, Ctrl+Enter to submit.
   Everything listens on the document, since the section is replaced by each answer of the server. Without this
   script the forms work, and a draft is kept when the score is submitted. */
const KEEP_AFTER_MS = 800;
let timer = 0;

/** @param {HTMLFormElement} form */
async function keep(form) {
  const state = form.querySelector("[data-draft-state]");
  try {
    const answer = await fetch(form.dataset.draft, { method: "POST", body: new FormData(form) });
    const isAnswered = answer.ok || answer.status === 409; // kept, or refused with a reason
    if (answer.redirected || !isAnswered) throw new Error("not kept");
    state.textContent = await answer.text();
  } catch {
    state.textContent = form.dataset.failed;
  }
}

function keepSoon(event) {
  const form = event.target.closest("[data-scorecard]");
  if (!form) return;
  clearTimeout(timer);
  timer = setTimeout(() => keep(form), event.type === "change" ? 0 : KEEP_AFTER_MS);
}

/* A digit chooses the level of the criterion that has the focus. In a text it is a digit. */
function choose(event) {
  const criterion = event.target.closest("[data-criterion]");
  if (!criterion || event.target.matches("textarea") || event.altKey || event.metaKey) return;
  const level = criterion.querySelector(`input[type=radio][value="${event.key}"]`);
  if (!level) return;
  event.preventDefault();
  level.checked = true;
  level.focus();
  level.dispatchEvent(new Event("change", { bubbles: true }));
}

document.addEventListener("change", keepSoon);
document.addEventListener("input", keepSoon);
document.addEventListener("submit", () => clearTimeout(timer));
document.addEventListener("keydown", (event) => {
  const isInside = event.target.closest("[data-evaluation]");
  if (!isInside) return;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    event.target.closest("form")?.requestSubmit();
  } else if (/^[0-9]$/.test(event.key) && !event.ctrlKey) {
    choose(event);
  }
});

/* A reason or note that is half written stays when another form of the section is sent. */
let written = [];
/* The form that changes a note is filled with it. */
const isWritten = (field) => !field.closest(".ip-edit") || field.value !== field.defaultValue;

document.addEventListener("htmx:beforeSwap", (event) => {
  const sent = event.detail.requestConfig?.elt;
  const fields = [...document.querySelectorAll("[data-evaluation] form:not([data-scorecard]) textarea")];
  written = fields
    .filter((field) => field.value && field.form !== sent && isWritten(field))
    .map(({ form, name, value }) => ({ action: form.getAttribute("action"), name, value }));
});

function writeAgain({ action, name, value }) {
  const field = document.querySelector(`[data-evaluation] form[action="${action}"] [name="${name}"]`);
  if (!field) return;
  field.value = value;
  const details = field.closest("details");
  if (details) details.open = true;
}

/* What became of it is read aloud, and the keyboard goes on from there. */
document.addEventListener("htmx:afterSettle", () => {
  written.forEach(writeAgain);
  written = [];
  document.querySelector("[data-evaluation] [data-said]")?.focus();
});
