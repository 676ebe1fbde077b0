"""The keys of a call in Redis, and how long they live. Both sides of a call use them.

A call is the hash `voice:call:<id>` (request, audio, asked_at, share, tenant; worker: the token of who
claimed it; sent: parts so far; taken: parts that the only reader has taken; again: when it was queued a
second time), the stream `voice:call:<id>:answer`, and the set `voice:call:<id>:readers`. The list
`voice:call:<id>:taken` wakes a worker that waits for a reader. When the last reader leaves, all of it is
deleted.
"""

from typing import Any

CALL_TTL_S = 300
"""A call outlives the last sign of its worker and of its readers by so long."""
ANSWERED_TTL_S = 120
"""A complete answer waits so long for a reader that is busy with the parts it has."""
WAIT_S = 120.0
"""The longest wait in a queue; then readers give up, and workers do not begin."""

REQUEST_PREFIX = "voice:call:"
SHARED_PREFIX = "voice:call:shared:"
READERS_SUFFIX = ":readers"
WITH_AUDIO = "voice:calls:audio"
"""The set of calls that hold audio."""

Meta = dict[str, Any]


def request_key(call_id: str) -> str:
    return REQUEST_PREFIX + call_id


def answer_key(call_id: str) -> str:
    return f"{REQUEST_PREFIX}{call_id}:answer"


def taken_key(call_id: str) -> str:
    return f"{REQUEST_PREFIX}{call_id}:taken"


def readers_key(call_id: str) -> str:
    return request_key(call_id) + READERS_SUFFIX


def job_id(call_id: str) -> str:
    return f"call-{call_id}"
