"""Moments of an answer: the address of one, as every page links to it, and how a time is written."""

from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse


def moment_url(session_id: UUID | str, number: str | None = None, seconds: float | None = None) -> str:
    """Return the path of the review page of a candidate's interview, at an answer, at a second of it.

    number: of the answer, as `Answer.number`. seconds: from the start of its recording.
    """
    page = reverse("admin:interviews_session_change", args=[session_id])
    if number is None:
        return page
    moment = {"answer": number} | ({} if seconds is None else {"t": f"{seconds:.1f}".removesuffix(".0")})
    return f"{page}?{urlencode(moment)}"


def clock(seconds: float) -> str:
    """Return whole minutes and seconds, as 1:07: what a player shows at that moment."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
