"""What is sent to the language model for a draft evaluation, and what of its answers is kept."""

import hashlib
import json
import time
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import transaction

from interviews.actions import exchanges
from interviews.brain.language_model import Completion, Prompt
from interviews.brain.passages import Said
from interviews.models import DraftEvaluation, DraftRequest, Session
from interviews.queries.answers import AnswerRecord
from voice.errors import VoiceError

AT_ONCE_S: Final = 2.0
"""So long a job asks the model. The jobs of a queue take turns."""
LOST_AFTER: Final = timedelta(minutes=2)
"""A request without an answer for so long is one of a worker that died."""


class Stopped(Exception):
    """The job has done enough, or another one is at it, or the candidate was erased."""


class Asking:
    """Asks the model what it was not asked before. Each request is written down before it is sent."""

    def __init__(self, row: DraftEvaluation, answers: list[AnswerRecord], now: datetime) -> None:
        self._row = row
        self._now = now
        self._answers = {str(each.answer.pk): each.answer for each in answers}
        self._known = {request.key: request for request in row.requests.exclude(ending="")}
        self._until_s = time.monotonic() + AT_ONCE_S
        self.is_out_of_time = False

    def __call__(self, prompt: Prompt, about: Said | None) -> Completion:
        """Raises Stopped, VoiceError."""
        sent = prompt.request(settings.LLM_MODEL)
        key = hashlib.sha256(json.dumps(sent, sort_keys=True).encode()).hexdigest()
        if known := self._known.get(key):
            return Completion(known.received, known.ending)
        self.is_out_of_time = time.monotonic() >= self._until_s
        if self.is_out_of_time:
            raise Stopped
        request = self._claimed(key, sent, about)
        self._known[key] = self._sent(request)
        return Completion(request.received, request.ending)

    @transaction.atomic
    def _claimed(self, key: str, sent: dict[str, Any], about: Said | None) -> DraftRequest:
        """Note what is about to be sent. Raises Stopped."""
        sessions = Session.objects.select_for_update(of=("self",), no_key=True)
        if not sessions.filter(pk=self._row.session_id).exists():
            raise Stopped  # erased meanwhile
        request, is_new = DraftRequest.objects.get_or_create(
            draft=self._row,
            key=key,
            defaults={
                "sent": sent,
                "sent_at": self._now,
                "answer": self._answers[about.key] if about else None,
            },
        )
        is_lost = request.sent_at <= self._now - LOST_AFTER
        if not (is_new or request.error or is_lost) or request.ending:
            raise Stopped  # another job has sent it, and waits
        request.sent_at, request.error = self._now, ""
        request.save(update_fields=["sent_at", "error"])
        return request

    def _sent(self, request: DraftRequest) -> DraftRequest:
        """Send it, and keep what came back. Raises VoiceError."""
        completion, kept = exchanges.ask(request.sent, is_draft=True)
        rows = self._row.requests.filter(pk=request.pk)
        if isinstance(completion, VoiceError):
            rows.update(error=completion.code, **kept)
            raise completion
        request.received, request.ending = kept["received"], completion.ending[:40]
        rows.update(ending=request.ending, **kept)
        return request
