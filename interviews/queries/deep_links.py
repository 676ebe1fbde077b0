"""Addresses of the review page that play from a second of an answer."""

from django.urls import reverse

from interviews.models import Answer


def to_second(answer: Answer, second: float = 0.0) -> str:
    """Return the address of the review page of an answer, from where it is played.

    second: from the start of its recording. It is rounded down, so that the word is heard from its beginning.
    """
    page = reverse("admin:interviews_session_change", args=[answer.session_id])
    return f"{page}?answer={answer.position}&t={int(second)}"
