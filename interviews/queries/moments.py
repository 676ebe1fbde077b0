"""Addresses of moments: a second of a candidate's answer, as every page links to it."""

from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse


def moment_url(session_id: UUID | str, position: int | None = None, seconds: float | None = None) -> str:
    """Return the path of the review page of a candidate's interview, at an answer, at a second of it.

    position: of the answer in the interview. seconds: from the start of its recording.
    """
    page = reverse("admin:interviews_session_change", args=[session_id])
    if position is None:
        return page
    moment = {"answer": position} | ({} if seconds is None else {"t": f"{seconds:.1f}".removesuffix(".0")})
    return f"{page}?{urlencode(moment)}"
