// The server's state, and the screen it calls for. Pure: no DOM, no clock, no network.

/**
 * @typedef {{id: string, status: "open"|"sealed"|"stored"|"discarded", bytes: number|null}} Recording
 * @typedef {{status: "waiting"|"done"|"failed"|"no_engine", is_deferred: boolean, text: string}} Transcript
 * @typedef {{id: string, kind: "practice"|"question"|"follow_up", position: number, follow_up: number, question: string|null,
 *   speech_url: string|null, speech_s: number|null, is_asked_again: boolean, is_silent: boolean, think_s: number|null,
 *   limit_s: number|null, retakes_left: number, may_be_followed_up: boolean,
 *   status: "pending"|"asked"|"recording"|"recorded"|"accepted", asked_at: string|null,
 *   recording: Recording|null, typed_text: string|null, transcript: Transcript|null,
 *   version: number}} Answer
 * @typedef {{id: string, version: number, status: string, current_answer: string|null, is_follow_up_awaited: boolean,
 *   language: string, candidate_name: string, title: string, is_barge_in_allowed: boolean,
 *   accommodation: Accommodation|null, has_page_facts: boolean}} Session
 * @typedef {{extra_percent: number, is_untimed: boolean, is_written: boolean, has_large_text: boolean}} Accommodation
 * @typedef {{session: Session, answers: Answer[]}} State
 * @typedef {{type: string, answer?: string, text?: string}} Command
 * @typedef {object} Local  State of this page alone.
 * @property {boolean} inFlow  the candidate pressed a button on this page since the session's status last changed
 * @property {boolean} isWriting  answers are typed, not spoken
 * @property {string|null} heard  answer whose question has been played or read on this page
 * @property {string|null} starting  answer whose recording starts once the server sends the offset
 * @property {{answer: string, recording: string}|null} live  the recording in progress
 * @property {Set<string>} ended  recordings the candidate has finished, even if the server does not know yet
 * @property {{code: string}|null} problem  a problem that the candidate must solve first
 * @property {{place: number, estimateS: number}|null} wait  in line: not admitted, or not admitted again
 */

/** Events may arrive out of order: a state is replaced only by the same or a later version. */
const isCurrent = (next, held) => (next.version ?? Infinity) >= (held.version ?? -Infinity);

/**
 * Mirrors the server (snapshots.py): snapshot + event = next snapshot.
 * @param {State} state
 * @param {{session?: Session, answer?: Answer}} event
 * @returns {State}
 */
export function apply(state, event) {
  const { session = state.session, answer: next } = event;
  const isNew = next && state.answers.every(({ id }) => id !== next.id);
  const answers = state.answers.map((held) => (next?.id === held.id && isCurrent(next, held) ? next : held));
  return {
    ...state,
    session: isCurrent(session, state.session) ? session : state.session,
    answers: isNew ? [...answers, next].sort(inOrder) : answers,
  };
}

/** Whether this candidate's answers are written, as was arranged. @param {State|null} state */
export const isWritten = (state) => Boolean(state?.session.accommodation?.is_written);

/**
 * The times of an answer for this candidate, as the server counts them; null: there is no such time.
 * @param {Session} session @param {Answer} answer
 * @returns {{thinkS: number|null, limitS: number|null}}
 */
export function timesOf({ accommodation }, { think_s: thinkS, limit_s: limitS }) {
  if (accommodation?.is_untimed) return { thinkS: null, limitS: null };
  const extended = (seconds) => seconds && Math.ceil((seconds * (100 + (accommodation?.extra_percent ?? 0))) / 100);
  return { thinkS: extended(thinkS), limitS: extended(limitS) };
}

/** Follow-up questions come after their question. */
const inOrder = (a, b) => a.position - b.position || (a.follow_up ?? 0) - (b.follow_up ?? 0);

/** Everything that is asked, in order, without the practice question. @param {State} state */
export const questions = (state) => state.answers.filter(({ kind }) => kind !== "practice").sort(inOrder);

/** The questions that are counted: those of the interview, without follow-ups. @param {State} state */
export const mainQuestions = (state) => questions(state).filter(({ kind }) => kind === "question");

/** The current or next answer, or the last one while a follow-up is awaited; null after all. @param {State} state */
export function focusAnswer(state) {
  const { current_answer: current, is_follow_up_awaited: isAwaited } = state.session;
  if (isAwaited) return state.answers.find(({ id }) => id === current) ?? null;
  const isPractice = ["checking", "practising"].includes(state.session.status);
  const open = (isPractice ? state.answers.filter(({ kind }) => kind === "practice") : questions(state)).filter(
    ({ status }) => status !== "accepted",
  );
  return open.find(({ id }) => id === current) ?? open[0] ?? null;
}

/**
 * The screen to show.
 * @param {State|null} state  null: the candidate is not admitted yet
 * @param {Local} local
 * @returns {string} waiting check practice ready wait ask think starting record saving review write resume finish problem
 */
export function stepOf(state, local) {
  if (local.wait && !local.problem) return "waiting";
  const { status } = state.session;
  const isElsewhere = local.problem?.code === "taken_over" && unstored(state).length > 0;
  if (["finished", "abandoned"].includes(status) && !isElsewhere) return "finish";
  if (local.problem) return "problem";
  if (skipsPractice(state)) return "wait";
  if (status === "checking") return "check";
  if (state.session.is_follow_up_awaited) return "wait";
  const answer = focusAnswer(state);
  if (!answer) return status === "practising" ? "wait" : "finish";
  return answerStep(answer, local, local.isWriting || isWritten(state)) ?? unbegunStep(state);
}

/** Whether there is nothing to check and to practise: answers are written. @param {State} state */
export function skipsPractice(state) {
  const { status } = state.session;
  return isWritten(state) && (status === "checking" || (status === "practising" && focusAnswer(state)?.status === "pending"));
}

/**
 * @param {Answer} answer @param {Local} local @param {boolean} isWriting
 * @returns {string|null} null: this answer has not begun on this page
 */
function answerStep(answer, local, isWriting) {
  const recording = local.live?.answer === answer.id ? local.live.recording : answer.recording?.id;
  const isOver = ["recorded", "accepted"].includes(answer.status);
  if (local.starting === answer.id) return "starting";
  if (local.live?.answer === answer.id) return local.ended.has(recording) ? "saving" : "record";
  if (isOver) return "review";
  if (answer.status === "recording" && local.ended.has(recording)) return "saving";
  if (!local.inFlow) return answer.status === "pending" ? null : "resume";
  if (answer.status === "pending") return "wait";
  if (isWriting) return "write";
  if (answer.status === "recording") return "resume";
  return local.heard === answer.id ? "think" : "ask";
}

/** @param {State} state */
function unbegunStep(state) {
  if (state.session.status === "practising") return "practice";
  return questions(state).every(({ status }) => status === "pending") ? "ready" : "resume";
}

/**
 * Whether a command that the server may not have received should be sent again in this state.
 * @param {State} state
 * @param {Command} command
 */
export function isStillWanted(state, command) {
  const status = state.answers.find(({ id }) => id === command.answer)?.status;
  const wantedIn = {
    ask: ["pending"],
    begin_answer: ["asked"],
    retake: ["recorded"],
    accept_answer: ["recorded"],
    type_answer: ["asked", "recording"],
  };
  if (command.type === "devices_checked") return state.session.status === "checking";
  if (command.type === "skip_practice") return ["checking", "practising"].includes(state.session.status);
  return wantedIn[command.type]?.includes(status) ?? false;
}

/**
 * What a change of an answer means for this page.
 * @param {Answer} before @param {Answer} after @param {Local} local
 * @returns {"asked-again"|"begun-by-server"|null} the second: its time to think was over
 */
export function newsOf(before, after, local) {
  if (after.is_asked_again && !before.is_asked_again) return "asked-again";
  const hasBegun = after.status === "recording" && before.status !== "recording";
  return hasBegun && local.starting !== after.id && local.live?.answer !== after.id ? "begun-by-server" : null;
}

/** Answers whose audio is not in object storage yet, in the order to send it. @param {State} state */
export function unstored(state) {
  const current = focusAnswer(state)?.id;
  const isLast = (answer) => Number(answer.id === current);
  return state.answers
    .filter(({ recording }) => ["open", "sealed"].includes(recording?.status))
    .sort((a, b) => isLast(a) - isLast(b) || inOrder(a, b));
}

/**
 * Recordings whose copy on this device is no longer needed.
 * @param {State} state
 * @param {string[]} held  recordings on this device
 * @param {{isWhole: boolean}} options  the state comes from a snapshot. Only then is a recording without an answer
 *   obsolete (the candidate recorded again); otherwise this page may not know its answer yet
 */
export function forgettable(state, held, { isWhole }) {
  const statuses = new Map(state.answers.map(({ recording }) => [recording?.id, recording?.status]));
  return held.filter((id) => (statuses.has(id) ? ["stored", "discarded"].includes(statuses.get(id)) : isWhole));
}

/**
 * Whether an answer has arrived, for the finish page.
 * @param {Answer} answer
 * @returns {"saved"|"saving"|"no-answer"}
 */
export function arrivalOf({ typed_text: typed, recording }) {
  if (typed !== null || recording?.status === "stored") return "saved";
  return ["open", "sealed"].includes(recording?.status) ? "saving" : "no-answer";
}

/**
 * The notice shown instead of a transcript; null once there is a text.
 * @param {Transcript} transcript
 */
export function noticeOf({ status, is_deferred: isDeferred }) {
  if (status === "done") return null;
  return status === "waiting" && isDeferred ? "transcript-deferred" : `transcript-${status}`;
}

/**
 * Whether the page can only wait for the server.
 * @param {State} state
 * @param {string} step
 * @param {Command|null} pending
 */
export function isWaitingForServer(state, step, pending) {
  if (pending || ["saving", "wait", "starting"].includes(step)) return true;
  return step === "finish" && unstored(state).length > 0;
}

/**
 * Think time left after coming back to a question already asked. At least ten seconds, so that recording does not
 * start by surprise.
 * @param {Answer} answer
 * @param {number} nowMs  the server's clock, ms since the epoch
 * @param {number} thinkS  for this candidate
 */
export function thinkLeftS(answer, nowMs, thinkS = answer.think_s) {
  const elapsedS = Math.max(0, (nowMs - Date.parse(answer.asked_at)) / 1000);
  return Math.min(thinkS, Math.max(10, thinkS - elapsedS));
}
