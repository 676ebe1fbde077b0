/* Listens to the answers to one question in turn. One recording plays at a time. */
const rows = [...document.querySelectorAll("[data-row]")].map((section) => ({
  section,
  button: section.querySelector("[data-in-turn]"),
  players: [...section.querySelectorAll("audio")],
}));
const players = rows.flatMap((row) => row.players);
let inTurn = null;
let current = null;

function rowOf(node) {
  return rows.find((row) => row.section.contains(node));
}

function show() {
  for (const row of rows) row.button?.setAttribute("aria-pressed", String(row === inTurn));
  for (const player of players) player.closest("[data-cell]").classList.toggle("ip-playing", player === current && !player.paused);
}

function play(player) {
  if (!player) return;
  player.play().catch(() => {}); // the player shows the error
}

function stop() {
  inTurn = null;
  current?.pause();
  show();
}

function listenInTurn(row, from = row.players[0]) {
  inTurn = row;
  play(from);
}

for (const player of players) {
  player.addEventListener("play", () => {
    for (const other of players) if (other !== player) other.pause();
    current = player;
    if (inTurn && !inTurn.players.includes(player)) inTurn = null;
    show();
  });
  player.addEventListener("pause", show);
  player.addEventListener("ended", () => {
    const next = inTurn?.players[inTurn.players.indexOf(player) + 1];
    if (!next) inTurn = null;
    show();
    play(next);
  });
}

for (const row of rows) {
  row.button?.addEventListener("click", () => (row === inTurn ? stop() : listenInTurn(row)));
}

function toggle(row) {
  if (current && row.players.includes(current) && !current.ended) {
    if (current.paused) listenInTurn(row, current);
    else current.pause();
  } else listenInTurn(row);
}

function step(row, by) {
  const at = row.players.indexOf(current);
  const next = row.players[at < 0 ? 0 : at + by];
  if (!next) return;
  next.currentTime = 0;
  play(next);
}

function goTo(row) {
  row?.section.focus();
}

const keys = {
  " ": toggle,
  ArrowLeft: (row) => step(row, -1),
  ArrowRight: (row) => step(row, 1),
  ArrowUp: (row) => goTo(rows[rows.indexOf(row) - 1]),
  ArrowDown: (row) => goTo(rows[rows.indexOf(row) + 1]),
};

/* Keys work in a question, and for the first one when nothing has the focus. A focused control keeps its own keys. */
document.addEventListener("keydown", (event) => {
  const isPlain = !(event.altKey || event.ctrlKey || event.metaKey || event.shiftKey);
  const isControl = event.target.closest("input, select, textarea, button, a, audio");
  const row = rowOf(event.target) ?? (document.activeElement === document.body ? rowOf(current) ?? rows[0] : null);
  if (!isPlain || isControl || !row || !keys[event.key]) return;
  event.preventDefault();
  keys[event.key](row);
});
