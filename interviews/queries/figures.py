"""Figures about the candidates of some invitations, each group in one statement.

`invitations` is everybody that the figures are about: limited to an organisation, to days and interviews
already, and without trials (`counted()`).
"""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final, NamedTuple

from django.db.models import (
    Aggregate,
    Count,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    FloatField,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
)
from django.db.models.functions import Cast, Extract, TruncDay, TruncWeek

from interviews.models import Answer, Erasure, Invitation, Session
from voice.models import Recording, Transcript
from voice.types import BYTES_A_SECOND

MINUTES: Final = (5, 10, 15, 20, 30, 45, 60)
"""Where the groups of `durations` end; the last one has no end."""
DAYS_ONE_BY_ONE: Final = 31
"""Longer times are shown by weeks."""

_ITSELF = Q(kind=Answer.Kind.QUESTION)
"""Without follow-ups: not every candidate is asked one, so they are not counted as questions."""
_QUESTIONS = Answer.objects.filter(_ITSELF)
_ANSWERS = Answer.objects.exclude(kind=Answer.Kind.PRACTICE)
_ACCEPTED = Q(status=Answer.Status.ACCEPTED)
_ASKED = Q(asked_at__isnull=False) | _ACCEPTED


class Percentile(Aggregate):
    """The value that this share of the rows does not exceed, interpolated (PostgreSQL's PERCENTILE_CONT)."""

    function = "PERCENTILE_CONT"
    template = "%(function)s(%(share)s) WITHIN GROUP (ORDER BY %(expressions)s)"

    def __init__(self, expression: Any, *, share: float, **options: Any) -> None:
        super().__init__(expression, share=share, output_field=FloatField(), **options)


class Step(NamedTuple):
    """How many candidates came to a step of the funnel, and how many of them were erased since."""

    name: str
    candidates: int
    erased: int


STEPS: Final = ("invited", "begun", "asked", "finished")
"""asked: the first question was asked."""


def funnel(invitations: QuerySet[Invitation], erasures: QuerySet[Erasure]) -> list[Step]:
    """Return how far candidates came; those who were erased since are counted, as far as it is known."""
    kept = invitations.annotate(is_asked=_is_asked()).aggregate(
        invited=Count("pk"),
        begun=Count("session"),
        asked=Count("pk", filter=Q(is_asked=True)),
        finished=Count("pk", filter=Q(session__status=Session.Status.FINISHED)),
    )
    gone = erasures.aggregate(
        invited=Count("pk"),
        begun=Count("begun_on"),
        asked=Count("pk", filter=Q(session_status__in=[Session.Status.UNDER_WAY, Session.Status.FINISHED])
                    | Q(answer_count__gt=0)),
        finished=Count("pk", filter=Q(session_status=Session.Status.FINISHED)),
    )  # fmt: skip
    return [Step(name, kept[name] + gone[name], gone[name]) for name in STEPS]


def _is_asked() -> Exists:
    return Exists(_QUESTIONS.filter(_ASKED, session__invitation=OuterRef("pk")))


class Period(NamedTuple):
    """A day, or the week that begins with it: how many were invited, and how many of them finished."""

    begins: date
    invited: int
    finished: int


def trend(invitations: QuerySet[Invitation], *, days: int) -> list[Period]:
    """Return the periods in which candidates were invited; days: how many days the invitations cover."""
    cut: Any = TruncDay if days <= DAYS_ONE_BY_ONE else TruncWeek
    rows = invitations.order_by().annotate(begins=cut("created_at")).values("begins")
    counted = rows.annotate(
        invited=Count("pk"), finished=Count("pk", filter=Q(session__status=Session.Status.FINISHED))
    )
    return [
        Period(row["begins"].date(), row["invited"], row["finished"]) for row in counted.order_by("begins")
    ]


class Durations(NamedTuple):
    """Minutes from consent to the last answer. groups: how many took up to each of `MINUTES`, and longer."""

    median: float | None
    slowest_tenth: float | None
    groups: Sequence[int]


def durations(invitations: QuerySet[Invitation]) -> Durations:
    """Return how long those took who finished."""
    rows = _finished(invitations).aggregate(
        median=Percentile("minutes", share=0.5),
        slowest_tenth=Percentile("minutes", share=0.9),
        **{f"group_{n}": Count("pk", filter=_took(n)) for n in range(len(MINUTES) + 1)},
    )
    groups = [rows[f"group_{n}"] for n in range(len(MINUTES) + 1)]
    return Durations(rows["median"], rows["slowest_tenth"], groups)


def _finished(invitations: QuerySet[Invitation]) -> QuerySet[Invitation]:
    took = _seconds(F("session__finished_at") - F("session__consented_at"))
    return invitations.filter(session__status=Session.Status.FINISHED).annotate(minutes=took / 60.0)


def _took(group: int) -> Q:
    longer_than = Q(minutes__gt=MINUTES[group - 1]) if group else Q()
    return longer_than & (Q(minutes__lte=MINUTES[group]) if group < len(MINUTES) else Q())


def _seconds(interval: Any) -> Any:
    duration = ExpressionWrapper(interval, output_field=DurationField())
    return Cast(Extract(duration, "epoch"), FloatField())


class Asked(NamedTuple):
    """What became of the question at a position. text: "" if candidates were asked different ones.

    heard_again: candidates who had it played once more.
    stopped: interviews that ended at this question or a follow-up to it, unanswered. Lengths are of
    recordings, in seconds.
    """

    position: int
    text: str
    asked: int
    heard_again: int
    answered: int
    stopped: int
    typed: int
    silent: int
    median_s: float | None
    longest_tenth_s: float | None


def questions(invitations: QuerySet[Invitation]) -> list[Asked]:
    """Return the questions in the order in which they were asked."""
    spoken_s = Cast(F("recording__byte_count"), FloatField()) / BYTES_A_SECOND
    was_spoken = _ITSELF & _ACCEPTED & Q(recording__byte_count__gt=0)
    rows = _ANSWERS.filter(session__invitation__in=invitations).order_by().values("position")
    counted = rows.annotate(
        first_text=Min("question_text", filter=_ITSELF),
        last_text=Max("question_text", filter=_ITSELF),
        asked=Count("pk", filter=_ITSELF & _ASKED),
        heard_again=Count("pk", filter=_HEARD_AGAIN),
        answered=Count("pk", filter=_ITSELF & _ACCEPTED),
        stopped=Count("pk", filter=_STOPPED),
        typed=Count("pk", filter=_ITSELF & ~Q(typed_text="")),
        silent=Count("pk", filter=_ITSELF & Q(is_silent=True)),
        median_s=Percentile(spoken_s, share=0.5, filter=was_spoken),
        longest_tenth_s=Percentile(spoken_s, share=0.9, filter=was_spoken),
    )
    return [_asked(row) for row in counted.order_by("position")]


_HEARD_AGAIN = _ITSELF & Q(heard_again__gt=0)
_STOPPED = Q(session__status=Session.Status.ABANDONED) & _ASKED & ~_ACCEPTED


_OF_POSITION: Final = {"stopped": _STOPPED, "heard_again": _HEARD_AGAIN}


def _asked(row: Any) -> Asked:
    first, last = row.pop("first_text"), row.pop("last_text")
    return Asked(text=first if first == last else "", **row)


class Speech(NamedTuple):
    """What became of the recordings. Times are seconds: after the answer, and inside the engine."""

    recordings: int
    stored: int
    done: int
    waiting: int
    failed: int
    no_engine: int
    text_median_s: float | None
    text_slowest_s: float | None
    engine_median_s: float | None
    engine_slowest_s: float | None
    stored_median_s: float | None
    stored_slowest_s: float | None


def speech(invitations: QuerySet[Invitation]) -> Speech:
    """Return how long texts took and how many failed. slowest: 95 of 100 took less."""
    waited = _seconds(F("transcript__finished_at") - F("sealed_at"))
    stored = _seconds(F("stored_at") - F("sealed_at"))
    engine = Cast(F("transcript__engine_ms"), FloatField()) / 1000.0
    status = {name: Count("pk", filter=Q(transcript__status=name)) for name in Transcript.Status.values}
    rows = Recording.objects.filter(answer__session__invitation__in=invitations, byte_count__gt=0)
    rows = rows.exclude(answer__kind=Answer.Kind.PRACTICE).exclude(status=Recording.Status.DISCARDED)
    return Speech(
        **rows.aggregate(
            recordings=Count("pk"),
            stored=Count("pk", filter=Q(status=Recording.Status.STORED)),
            **status,
            text_median_s=Percentile(waited, share=0.5, filter=_DONE),
            text_slowest_s=Percentile(waited, share=0.95, filter=_DONE),
            engine_median_s=Percentile(engine, share=0.5, filter=_DONE),
            engine_slowest_s=Percentile(engine, share=0.95, filter=_DONE),
            stored_median_s=Percentile(stored, share=0.5),
            stored_slowest_s=Percentile(stored, share=0.95),
        )
    )


_DONE = Q(transcript__status=Transcript.Status.DONE)


def behind(invitations: QuerySet[Invitation], name: str, number: int) -> QuerySet[Invitation] | None:
    """Return the candidates who are counted in a figure; None for a name that is none.

    name: a step of the funnel, "took" with a group of `durations`, "stopped" or "heard_again" with a
    position, or a status of a transcript.
    """
    if name == "took":
        return _finished(invitations).filter(_took(number)) if 0 <= number <= len(MINUTES) else None
    if name in Transcript.Status.values:
        found = _ANSWERS.filter(recording__transcript__status=name, recording__byte_count__gt=0)
        found = found.exclude(recording__status=Recording.Status.DISCARDED)
    elif name in _OF_POSITION:
        found = _ANSWERS.filter(_OF_POSITION[name], position=number)
    else:
        return _at_step(invitations, name)
    return invitations.filter(Exists(found.filter(session__invitation=OuterRef("pk"))))


def _at_step(invitations: QuerySet[Invitation], name: str) -> QuerySet[Invitation] | None:
    steps = {
        "invited": Q(),
        "begun": Q(session__isnull=False),
        "asked": Q(_is_asked()),
        "finished": Q(session__status=Session.Status.FINISHED),
    }
    return invitations.filter(steps[name]) if name in steps else None
