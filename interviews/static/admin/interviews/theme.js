/* What the theme leaves out for people without a mouse, and for those who hear the page. Loaded on every admin page.
   - What only a click opens is a button: Tab reaches it, Enter and the space bar press it.
   - A menu, the filters or a dialog get the focus when they open, keep it, and give it back when Escape closes them.
   - The names of icons are not read aloud. A control that is only an icon gets a name of words.
   - A field in a table is called as its column. */
const CLICKED = "[x-on\\:click]";
const OF_ITSELF = "a[href], button, input, select, textarea, summary, label, h3, #changelist-filter-close";
const FOCUSABLE = "a[href], button, input:not([type=hidden]), select, textarea, [tabindex='0']";
const ICON = ".material-symbols-outlined";
/** Words in attributes of <body>, by the names of icons. */
const NAMES = {
  dock_to_right: "nameMenu", close: "nameClose", more_horiz: "nameMore", more_vert: "nameMore", search: "nameSearch", graphic_eq: "nameHome",
};

const isShown = (element) => element.checkVisibility({ visibilityProperty: true });
const controlsOf = (box) => [...box.querySelectorAll(FOCUSABLE)].filter((each) => isShown(each) && !each.disabled);

/** What a trigger opens beside itself, or at the end of the page. */
function menuOf(trigger) {
  const parent = trigger.parentElement;
  return parent.querySelector(":scope > template")?._x_teleport ?? parent.querySelector(":scope > nav");
}

function makeButton(trigger) {
  trigger.tabIndex = 0;
  trigger.setAttribute("role", "button");
}

function nameIcon(control) {
  const icon = control.matches(ICON) ? control : control.querySelector(ICON);
  const isOnlyIcon = icon && control.textContent.trim() === icon.textContent.trim();
  if (!isOnlyIcon || control.hasAttribute("aria-label")) return;
  const name = control.title || document.body.dataset[NAMES[icon.textContent.trim()]];
  if (name) control.setAttribute("aria-label", name);
}

function nameFields(cell) {
  for (const field of cell.querySelectorAll("input:not([type=hidden]), select, textarea")) {
    if (!field.labels?.length && !field.hasAttribute("aria-label")) field.setAttribute("aria-label", cell.dataset.label);
  }
}

/** An icon with a title says something; the others only decorate. */
function hideIcons(part) {
  for (const icon of part.querySelectorAll(`${ICON}:not([role], [aria-hidden])`)) {
    if (!icon.title) icon.setAttribute("aria-hidden", "true");
    else {
      icon.setAttribute("role", "img");
      icon.setAttribute("aria-label", icon.title);
    }
  }
}

function improve(part) {
  for (const trigger of part.querySelectorAll(CLICKED)) if (!trigger.matches(OF_ITSELF)) makeButton(trigger);
  part.querySelectorAll("a[href], button, [role=button]").forEach(nameIcon);
  part.querySelectorAll("td[data-label]").forEach(nameFields);
  hideIcons(part);
}

/* Boxes that open: {box, trigger}. The last one has the keyboard. */
const opened = [];

/** Notice when a box opens and closes: the theme shows and hides it by its style. */
function watch(box, triggerOf) {
  let wasShown = isShown(box);
  new MutationObserver(() => {
    if (isShown(box) === wasShown) return;
    wasShown = !wasShown;
    const trigger = triggerOf();
    trigger?.setAttribute("aria-expanded", String(wasShown));
    if (wasShown) enter(box, trigger);
    else leave(box);
  }).observe(box, { attributes: true, attributeFilter: ["style", "class"] });
}

function enter(box, trigger) {
  opened.push({ box, trigger });
  hideIcons(box);
  const isDialog = box.getAttribute("role") === "dialog";
  if (isDialog) box.setAttribute("aria-label", box.querySelector("h1")?.textContent.trim() ?? "");
  const controls = controlsOf(box);
  const first = controls.find((each) => !isDialog || each.matches("input, select, textarea, [type=submit]"));
  (first ?? controls[0])?.focus();
}

function leave(box) {
  const index = opened.findIndex((each) => each.box === box);
  if (index < 0) return;
  const [{ trigger }] = opened.splice(index, 1);
  if (document.activeElement === document.body || box.contains(document.activeElement)) trigger?.focus();
}

/** Tab goes round in what is open. */
function keepInside(event, box) {
  const controls = controlsOf(box);
  const end = event.shiftKey ? controls[0] : controls.at(-1);
  if (controls.length && (document.activeElement === end || !box.contains(document.activeElement))) {
    event.preventDefault();
    (event.shiftKey ? controls.at(-1) : controls[0]).focus();
  }
}

document.addEventListener("keydown", (event) => {
  const last = opened.at(-1);
  if (last && event.key === "Tab") keepInside(event, last.box);
  if (last && event.key === "Escape" && last.box.matches("nav")) last.trigger.click();
  const isPress = event.key === "Enter" || event.key === " ";
  if (isPress && event.target.matches?.(`[role=button]${CLICKED}`)) {
    event.preventDefault();
    event.target.click();
  }
});

let pressed = null; // what a dialog that comes from the server was opened by
document.addEventListener("htmx:beforeRequest", ({ detail }) => {
  if (detail.target.id === "modal-content") pressed = detail.elt;
});

document.addEventListener("alpine:initialized", () => {
  improve(document);
  for (const trigger of document.querySelectorAll(`[role=button]${CLICKED}`)) {
    const menu = menuOf(trigger);
    if (!menu) continue;
    improve(menu);
    trigger.setAttribute("aria-expanded", "false");
    watch(menu, () => trigger);
  }
  const filters = document.getElementById("changelist-filter");
  if (filters) watch(filters, () => document.querySelector("[x-on\\:click='filterOpen = true']"));
  const modal = document.getElementById("modal-content")?.parentElement;
  modal?.setAttribute("role", "dialog");
  modal?.setAttribute("aria-modal", "true");
  if (modal) watch(modal, () => pressed);
});
document.addEventListener("htmx:load", ({ detail }) => improve(detail.elt));
