/* Questions change places by buttons, or by Alt and an arrow key inside one. The theme lets them be dragged. Either way
   the numbers in the form say the order; nothing is saved before the form is. */
const table = document.getElementById("questions-data");
const announcement = document.createElement("p");
announcement.className = "ip-hidden";
announcement.setAttribute("role", "status");

const rows = () => [...table.querySelectorAll("tbody.form-group:not(.empty-form)")];

function number() {
  rows().forEach((row, index) => {
    const field = row.querySelector("input[name$='-position']");
    if (field) field.value = index + 1;
  });
}

/** @param {HTMLElement} row @param {number} by  -1 or 1 @returns {boolean} whether there is such a place */
function move(row, by) {
  const all = rows();
  const other = all[all.indexOf(row) + by];
  if (!other) return false;
  if (by < 0) other.before(row);
  else other.after(row);
  number();
  const text = row.querySelector("[data-moved]").dataset.moved;
  announcement.textContent = text.replace("{n}", rows().indexOf(row) + 1).replace("{total}", all.length);
  return true;
}

if (table?.querySelector("[data-move]")) {
  document.body.append(announcement);
  table.addEventListener("click", (event) => {
    const button = event.target.closest("[data-move]");
    if (!button) return;
    move(button.closest("tbody"), Number(button.dataset.move));
    button.focus();
  });
  table.addEventListener("keydown", (event) => {
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const row = event.target.closest("tbody.form-group");
    if (!by || !event.altKey || !row) return;
    event.preventDefault();
    const focused = document.activeElement;
    if (move(row, by)) focused.focus();
  });
}
