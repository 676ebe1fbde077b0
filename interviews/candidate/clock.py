"""The time of the current question as the server keeps it, for pages that do not go on by themselves."""

from collections.abc import Iterable
from typing import Any, Final

from django.conf import settings

from interviews.models import Answer
from interviews.states import AnswerStatus

TOLERANCE_S: Final = 30.0
"""No page that follows the rules is this late: its player waits 15 s for sound, and networks are slow."""

State = dict[str, Any]


class AnswerClock:
    """Tells when the think time or the answer time of the current question is over.

    The caller passes `now_s`, the seconds of a monotonic clock: the system's clock may jump by an hour.
    The time of a candidate who was away is not counted: each connection has a clock. What earlier connections
    had to think is counted; an answer's time begins anew, for its audio has a limit of its own. The clock
    does not run while an answer is written, and begins anew when the candidate's accommodation changes.
    It also ends the wait for a follow-up question.
    """

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}
        """Seconds that earlier connections had to think, by `thinking`; set before `follow`."""
        self._phase: tuple[str, str, str | None] | None = None
        self._since_s: float | None = None
        self._allowed_s: float | None = None
        self._given: State | None = None
        self._written = ""

    def follow(self, session: State, answers: Iterable[State], *, now_s: float) -> None:
        """The page is told this: the session, and all its answers or the one that has changed."""
        current = session["current_answer"]
        for answer in answers:
            if answer["id"] == current:
                self._enter(session, answer, now_s=now_s)
                return
        if self._phase is not None and self._phase[0] != current:
            self._phase = None  # the next question has not been asked yet

    def _enter(self, session: State, answer: State, *, now_s: float) -> None:
        phase = (answer["id"], answer["status"], answer["asked_at"])
        accommodation = session.get("accommodation")
        is_awaited = session.get("is_follow_up_awaited", False)
        self._allowed_s = settings.FOLLOW_UP_WAIT_S if is_awaited else _tolerated_s(answer, accommodation)
        if phase != self._phase:
            self._phase = phase
            if answer["status"] in (AnswerStatus.RECORDING, AnswerStatus.ACCEPTED):
                self._written = ""  # spoken after all, or written
            self._since_s = now_s - self.spent.get(self.thinking, 0.0)
        elif accommodation != self._given:
            self._since_s = now_s  # as the page does, whether there is more time now or less
        self._given = accommodation

    @property
    def thinking(self) -> str:
        """The name of the time to think that runs now; "" while none does."""
        if self._phase is None or self._phase[1] != AnswerStatus.ASKED:
            return ""
        return f"{self._phase[0]}:{self._phase[2]}"

    def thought_s(self, now_s: float) -> float:
        """Return for how long this connection has had it, in seconds."""
        if not self.thinking or self._since_s is None:
            return 0.0
        return max(0.0, now_s - self._since_s - self.spent.get(self.thinking, 0.0))

    def left_s(self, now_s: float) -> float | None:
        """Return in how many seconds `over` is to be asked again; None: not before something happens."""
        if self._phase is None or self._since_s is None or self._allowed_s is None:
            return None
        if self._phase[0] == self._written:
            return None
        return max(0.0, self._allowed_s - (now_s - self._since_s))

    def write(self, answer_id: str) -> None:
        """The candidate writes this answer: there is no limit to that, until a recording of it begins."""
        self._written = answer_id

    def over(self, now_s: float) -> str | None:
        """Return the id of the answer whose time is over, and allow it the same time once more."""
        if self._phase is None or self.left_s(now_s) != 0:
            return None
        self._since_s = now_s
        return self._phase[0]


def _tolerated_s(answer: State, accommodation: State | None) -> float | None:
    allowed = allowed_s(answer, accommodation)
    return None if allowed is None else allowed + TOLERANCE_S


def allowed_s(answer: State, accommodation: State | None = None) -> float | None:
    """Return how long the answer may stay as it is, in seconds; None: for ever.

    accommodation: as in the session's state. Without time limits, and while an answer is to be written, the
    candidate decides.
    """
    given = accommodation or {}
    if answer["kind"] == Answer.Kind.PRACTICE or given.get("is_untimed"):
        return None
    factor = 1 + given.get("extra_percent", 0) / 100
    if answer["status"] == AnswerStatus.RECORDING:
        return float(answer["limit_s"] * factor)
    if answer["status"] == AnswerStatus.ASKED and not given.get("is_written"):
        # Without think time and without sound the candidate reads the question, and begins when ready.
        return (answer["speech_s"] or 0.0) + answer["think_s"] * factor or None
    return None
