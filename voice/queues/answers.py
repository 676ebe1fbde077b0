"""The worker's side of a call: it claims the call and sends the parts of the answer."""

import json
import time
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import redis

from voice.infra import redis_clients
from voice.queues import call_scripts
from voice.queues.call_scripts import ANSWERED_TTL_S, CALL_TTL_S, WAIT_S, Meta, answer_key, request_key

AWAY_PAUSES_S = (0.1, 0.5, 2.0)
"""Pauses of a worker whose Redis does not answer, before it gives its work up."""


class Forgotten(Exception):
    """Nobody waits for the answer any more, or another worker gives it."""


@dataclass(slots=True)
class ClaimedCall:
    """A call as the worker that claimed it sees it."""

    id: str
    request: Meta
    audio: bytes
    _token: str
    _asked_at: float
    """In seconds of the monotonic clock."""
    _sent: int = 0

    def age_s(self) -> float:
        """Seconds since it was asked."""
        return time.monotonic() - self._asked_at

    def send(self, meta: Meta, body: bytes = b"") -> None:
        """Send a part of the answer.

        Raises:
            Forgotten: nobody waits for it any more, or another worker gives it.
        """
        self._add("part", meta, body)

    def finish(self, meta: Meta) -> None:
        """Say the last word."""
        self._add("done", meta, ttl_s=ANSWERED_TTL_S)

    def fail(self, code: str, detail: str, *, field: str = "") -> None:
        """Say that it cannot be done. Whoever asks the same from now on gets a new try."""
        self._add("error", {"code": code, "detail": detail, "field": field}, ttl_s=ANSWERED_TTL_S)

    def _add(self, kind: str, meta: Meta, body: bytes = b"", *, ttl_s: int = CALL_TTL_S) -> None:
        self._sent += 1
        values = [self.id, self._token, self._sent, kind, json.dumps(meta), body, ttl_s]
        if not _patiently(call_scripts.ADD, [request_key(self.id), answer_key(self.id)], values):
            raise Forgotten(self.id)


def claim(call_id: str) -> ClaimedCall | None:
    """Claim the call of that id; None when a worker has it, it has an answer, or nobody waits any more."""
    token = uuid4().hex
    found = _patiently(call_scripts.CLAIM, [request_key(call_id)], [call_id, token, WAIT_S, CALL_TTL_S])
    if found is None:
        return None
    request, audio, age_s = found
    return ClaimedCall(call_id, json.loads(request), audio, token, time.monotonic() - float(age_s))


def _patiently(script: str, keys: list[str], values: list[Any]) -> Any:
    """Run a script that may be run twice; a Redis that is away for moments is waited for."""
    for pause_s in AWAY_PAUSES_S:
        try:
            return redis_clients.sync_client().eval(script, len(keys), *keys, *values)
        except (redis.ConnectionError, redis.TimeoutError):
            time.sleep(pause_s)
    return redis_clients.sync_client().eval(script, len(keys), *keys, *values)
