"""The worker's side of a call: claim the call and send the parts of the answer."""

import json
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import redis

from voice.infra import lua, redis_clients
from voice.queues.call_keys import (
    ANSWERED_TTL_S,
    CALL_TTL_S,
    WAIT_S,
    WITH_AUDIO,
    Meta,
    answer_key,
    request_key,
    taken_key,
)

AWAY_PAUSES_S = (0.1, 0.5, 2.0)
"""Pauses before a worker gives up its work because Redis does not answer."""
PARTS_AHEAD = 4
"""The most parts that wait in Redis for the only reader of an answer."""
TAKEN_WITHIN_S = 30.0
"""A reader that takes no part for this many seconds is gone, or its client does not read."""
LOOK_S = 1
"""How often a worker that waits for a reader looks whether the call still exists."""

_CLAIM = lua.load(__file__, "call_claim", uses="call_end")
_RELEASE = lua.load(__file__, "call_release")
_ADD = lua.load(__file__, "call_add", uses="call_end")


class Forgotten(Exception):
    """The caller no longer waits for the answer, or another worker gives it."""


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
        """Return the seconds since the call was made."""
        return time.monotonic() - self._asked_at

    @property
    def has_begun(self) -> bool:
        """Whether a part of the answer was sent."""
        return bool(self._sent)

    def send(self, meta: Meta, body: bytes = b"") -> None:
        """Send a part of the answer.

        Raises:
            Forgotten: the caller no longer waits for it, or another worker gives it.
        """
        self._add("part", meta, body)

    def send_when_taken(self, meta: Meta, body: bytes = b"") -> None:
        """Send a part of a long answer to its only reader; wait while the reader has not taken the last few.

        Raises:
            Forgotten: as `send`, or the reader takes nothing.
        """
        deadline = time.monotonic() + TAKEN_WITHIN_S
        while self._sent - self._taken() >= PARTS_AHEAD:
            if time.monotonic() > deadline:
                raise Forgotten(self.id)
            redis_clients.sync_client().blpop([taken_key(self.id)], timeout=LOOK_S)
        self.send(meta, body)

    def check_wanted(self) -> None:
        """Look whether the answer is still wanted.

        Raises:
            Forgotten: the caller no longer waits for it, or another worker gives it.
        """
        with suppress(redis.RedisError):  # unknown: go on
            self._taken()

    def _taken(self) -> int:
        """Return how many parts the only reader has taken."""
        worker, taken = redis_clients.sync_client().hmget(request_key(self.id), "worker", "taken")
        if worker != self._token.encode():
            raise Forgotten(self.id)
        return int(taken or 0)

    def release(self) -> bool:
        """Let another worker answer; return whether it may: nothing has been sent yet."""
        keys = [request_key(self.id), answer_key(self.id)]
        return bool(_run_patiently(_RELEASE, keys, [self._token, CALL_TTL_S]))

    def finish(self, meta: Meta) -> None:
        """Send the end of the answer."""
        self._add("done", meta, ttl_s=ANSWERED_TTL_S)

    def fail(self, code: str, detail: str, *, field: str = "") -> None:
        """Send an error. The same request gets a new attempt from now on."""
        self._add("error", {"code": code, "detail": detail, "field": field}, ttl_s=ANSWERED_TTL_S)

    def _add(self, kind: str, meta: Meta, body: bytes = b"", *, ttl_s: int = CALL_TTL_S) -> None:
        self._sent += 1
        values = [self.id, self._token, self._sent, kind, json.dumps(meta), body, ttl_s]
        if not _run_patiently(_ADD, [request_key(self.id), WITH_AUDIO, answer_key(self.id)], values):
            raise Forgotten(self.id)


def claim(call_id: str) -> ClaimedCall | None:
    """Claim the call; None if a worker has it, it is answered, or the caller no longer waits."""
    token = uuid4().hex
    values = [call_id, token, WAIT_S, CALL_TTL_S]
    found = _run_patiently(_CLAIM, [request_key(call_id), WITH_AUDIO], values)
    if found is None:
        return None
    request, audio, age_s = found
    return ClaimedCall(call_id, json.loads(request), audio, token, time.monotonic() - float(age_s))


def _run_patiently(script: lua.LuaScript, keys: list[str], values: list[Any]) -> Any:
    """Run a script that may be run twice; a Redis that is away for moments is waited for."""
    for pause_s in AWAY_PAUSES_S:
        try:
            return script.run(redis_clients.sync_client(), keys, values)
        except (redis.ConnectionError, redis.TimeoutError):
            time.sleep(pause_s)
    return script.run(redis_clients.sync_client(), keys, values)
