"""Transcripts in a language that no engine recognises: set aside, until an engine for it appears."""

import logging

import redis
from django.db.models import QuerySet
from django.utils import timezone

from voice import signals
from voice.inference import reports
from voice.infra import redis_clients
from voice.models import Transcript

logger = logging.getLogger(__name__)

Status = Transcript.Status
SET_ASIDE_AT_MOST = 1000
"""In one round; the others follow in the next."""
REASON = "No engine recognises the language %r."


def set_aside(row: Transcript, reason: str) -> None:
    """Try it no more, and tell that there will be no text for now."""
    waiting = Transcript.objects.filter(pk=row.pk, status=Status.WAITING)
    if waiting.update(status=Status.NO_ENGINE, last_error=reason[:500]):
        row.refresh_from_db()
        signals.transcript_finished.send(Transcript, transcript=row)


def sort_out() -> None:
    """Set aside what waits for an engine that no live worker has, and let wait again what has one now."""
    try:
        heard = reports.languages_heard(redis_clients.sync_client())
    except redis.RedisError:
        return
    if heard is None:  # no worker runs: nothing is known
        return
    for language in _languages(Status.NO_ENGINE):
        if reports.is_heard(language, heard):
            rows = _rows(Status.NO_ENGINE, language)
            rows.update(status=Status.WAITING, last_error="", retry_at=timezone.now())
    for language in _languages(Status.WAITING):
        if not reports.is_heard(language, heard):
            logger.warning("no engine recognises %r: its transcripts are set aside", language)
            for row in _rows(Status.WAITING, language).select_related("recording")[:SET_ASIDE_AT_MOST]:
                set_aside(row, REASON % language)


def _rows(status: str, language: str) -> QuerySet[Transcript]:
    return Transcript.objects.filter(status=status, recording__language=language)


def _languages(status: str) -> set[str]:
    return set(
        Transcript.objects.filter(status=status).values_list("recording__language", flat=True).distinct()
    )
