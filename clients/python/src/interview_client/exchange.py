"""A call as steps: requests to send and seconds to wait. Pure; `client` takes the steps.

steps = exchange.steps(call, base=…, tries=5)     # yields httpx.Request or seconds, takes what came of it
"""

import uuid
from collections.abc import Generator
from typing import Any, TypeVar

import httpx

from interview_client import errors, retries
from interview_client.calls import Call

T = TypeVar("T")
Step = httpx.Request | float
Steps = Generator[Step, Any, T]
"""Yields what to do, is sent the response or the `httpx.TransportError`, returns what was asked for."""
AGENT = "interview-client/0.1 (Python)"


def steps(
    call: Call[T], *, address: str, key: str, tries: int, idempotency_key: str = ""
) -> Steps[tuple[T, str]]:
    """Send a call until it is answered. A POST keeps one idempotency key over all tries.

    A DELETE that may have arrived before has succeeded if there is nothing to delete any more.

    Returns the answer and its ETag, "" if it has none.
    """
    request = build(call, address=address, key=key, idempotency_key=idempotency_key)
    tried, may_have_arrived = 0, False
    while True:
        outcome = yield request
        tried += 1
        if may_have_arrived and call.method == "DELETE" and retries.is_gone(outcome):
            return answer(httpx.Response(204)), ""
        may_have_arrived = may_have_arrived or retries.is_uncertain(outcome)
        pause = retries.pause_s(call, outcome, tried) if tried < tries else None
        if pause is None:
            return answer(outcome), outcome.headers.get("ETag", "")
        yield pause


def build(call: Call[Any], *, address: str, key: str, idempotency_key: str = "") -> httpx.Request:
    """Return the request of a call."""
    headers = {"Authorization": f"Bearer {key}", "Accept": "application/json", "User-Agent": AGENT}
    if call.if_match:
        headers["If-Match"] = call.if_match
    if call.method == "POST":
        headers["Idempotency-Key"] = idempotency_key or str(uuid.uuid4())
    url = f"{address.rstrip('/')}/api/v1{call.path}"
    params = {name: _text(value) for name, value in call.params.items()}
    return httpx.Request(call.method, url, params=params, json=call.body, headers=headers)


def _text(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def answer(outcome: retries.Outcome) -> Any:
    """Return what an answer says; None where it says nothing.

    Raises:
        Problem: it is a refusal.
        Unreachable: there is none.
    """
    if isinstance(outcome, httpx.TransportError):
        raise errors.Unreachable(f"{type(outcome).__name__} at {outcome.request.url.host}") from outcome
    document = _document(outcome)
    if outcome.is_success:
        return document
    raise errors.problem(outcome.status_code, document)


def _document(response: httpx.Response) -> Any:
    try:
        return response.json() if response.content else None
    except ValueError:
        return None
