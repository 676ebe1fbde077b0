"""Many candidates' interviews as the rows of a table."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from interviews.exports.tables import Cell
from interviews.models import Answer, Session
from interviews.queries import blindness, progress, records, scores
from interviews.queries.blindness import Viewer
from interviews.queries.scores import Asked
from voice.types import BYTES_A_SECOND


def header(asked: Sequence[Asked], *, viewer: Viewer | None) -> list[str]:
    """Return the titles of the columns; each time names its zone. asked, viewer: see `rows`."""
    zone = timezone.get_current_timezone_name()
    return [
        *(_("candidate"), _("e-mail"), _("interview"), _("job"), _("version"), _("language"), _("status")),
        *(_("%(what)s (%(zone)s)") % {"what": what, "zone": zone} for what in _times()),
        *(_("questions"), _("answered"), _("seconds recorded")),
        *([_("decision"), _("scorecards")] if viewer else []),
        *(_("score: %(criterion)s (%(interview)s)") % _named(each) for each in asked),
        _("id"),
    ]


def _named(asked: Asked) -> dict[str, str]:
    return {"criterion": asked.criterion.name, "interview": asked.interview}


def _times() -> Sequence[str]:
    return _("invited"), _("consented"), _("finished")


def rows(
    sessions: QuerySet[Session],
    asked: Sequence[Asked],
    *,
    viewer: Viewer | None,
    on_chunk: Callable[[list[Any]], object],
) -> Iterator[list[Cell]]:
    """Yield a row for each of `sessions`.

    asked: the criteria that get a column with the mean of the levels that were submitted.
    viewer: gets decisions and scores as in the list; None: there are no columns for them.
    on_chunk: called with some sessions before their rows are yielded.
    """
    recorded = Answer.objects.filter(session=OuterRef("pk")).exclude(kind=Answer.Kind.PRACTICE).order_by()
    byte_count = recorded.values("session").annotate(sum=Sum("recording__byte_count")).values("sum")
    related = Session.objects.select_related("invitation__interview__published", "definition")
    columns = (
        _judged(progress.of_sessions(related), viewer)
        .annotate(recorded_bytes=Subquery(byte_count))
        .defer(
            *("consent_text", "definition__questions", "definition__consent_text"),
            *("invitation__interview__consent_text", "invitation__interview__published__questions"),
        )
    )
    for chunk in records.in_chunks(sessions, columns=columns):
        on_chunk(chunk)
        means = scores.means(chunk, viewer) if viewer else {}
        for session in chunk:
            levels = means.get(session.pk, {})
            columns_of_criteria = [_score(session, levels.get(each.criterion.id), each) for each in asked]
            yield _row(session, [*(_judgement(session) if viewer else []), *columns_of_criteria])


def _judged(rows: QuerySet[Session], viewer: Viewer | None) -> QuerySet[Session]:
    return blindness.with_decision(scores.with_counts(rows, viewer), viewer) if viewer else rows


def _judgement(session: Any) -> list[Cell]:
    return [str(blindness.WORDS[session.shown_outcome]), session.scorecard_count]


def _score(session: Any, level: float | None, asked: Asked) -> Cell:
    """Return the mean, or why there is none although the session was scored by this criterion."""
    is_hidden = session.scorecard_count and not session.are_scores_shown
    if is_hidden and any(each.id == asked.criterion.id for each in session.agreed.criteria):
        return str(blindness.WORDS[blindness.HIDDEN])
    return None if level is None else round(level, 2)


def _row(session: Any, judged: Sequence[Cell]) -> list[Cell]:
    invitation, version = session.invitation, session.agreed
    return [
        *(invitation.candidate_name, invitation.candidate_email, version.title, version.job_title),
        *(version.number, version.get_language_display(), session.get_status_display()),
        *(invitation.created_at, session.consented_at, session.finished_at),
        *(session.question_count, session.answered_count),
        round((session.recorded_bytes or 0) / BYTES_A_SECOND, 1),
        *judged,
        str(session.pk),
    ]
