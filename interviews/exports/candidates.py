"""Many candidates' interviews as the rows of a table."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from interviews.exports.tables import Cell
from interviews.models import Answer, Session
from interviews.queries import progress, records
from voice.types import BYTES_A_SECOND


def header() -> list[str]:
    """Return the titles of the columns; times are in the time zone that they name."""
    zone = timezone.get_current_timezone_name()
    return [
        *(_("candidate"), _("e-mail"), _("interview"), _("job"), _("version"), _("language"), _("status")),
        *(_("%(what)s (%(zone)s)") % {"what": what, "zone": zone} for what in _times()),
        *(_("questions"), _("answered"), _("seconds recorded"), _("id")),
    ]


def _times() -> Sequence[str]:
    return _("invited"), _("consented"), _("finished")


def rows(sessions: QuerySet[Session], *, on_chunk: Callable[[list[Any]], object]) -> Iterator[list[Cell]]:
    """Yield a row for each of `sessions`.

    on_chunk: called with some sessions before their rows are yielded.
    """
    recorded = Answer.objects.filter(session=OuterRef("pk")).exclude(kind=Answer.Kind.PRACTICE).order_by()
    byte_count = recorded.values("session").annotate(sum=Sum("recording__byte_count")).values("sum")
    related = Session.objects.select_related("invitation__interview__published", "definition")
    columns = (
        progress.of_sessions(related)
        .annotate(recorded_bytes=Subquery(byte_count))
        .defer(
            *("consent_text", "definition__questions", "definition__consent_text"),
            *("invitation__interview__consent_text", "invitation__interview__published__questions"),
        )
    )
    for chunk in records.in_chunks(sessions, columns=columns):
        on_chunk(chunk)
        yield from map(_row, chunk)


def _row(session: Any) -> list[Cell]:
    invitation, version = session.invitation, session.agreed
    return [
        *(invitation.candidate_name, invitation.candidate_email, version.title, version.job_title),
        *(version.number, version.get_language_display(), session.get_status_display()),
        *(invitation.created_at, session.consented_at, session.finished_at),
        *(session.question_count, session.answered_count),
        round((session.recorded_bytes or 0) / BYTES_A_SECOND, 1),
        str(session.pk),
    ]
