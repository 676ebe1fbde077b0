"""When a request is sent again, and after how long. Pure."""

import random
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from interview_client.calls import Call

FIRST_S, LONGEST_S = 0.5, 30.0
"""Pauses grow from one to the other, where the platform names none."""
LONGEST_ASKED_S = 300.0
"""No longer pause is made, whatever the platform asks for."""
NOT_BEGUN = (429, 503)
"""The platform did nothing."""
UNCERTAIN = (500, 502, 504)
"""It may have done it."""
NOT_CONNECTED = (httpx.ConnectError, httpx.ConnectTimeout)
"""Nothing was sent."""
UNDER_WAY = "under_way"
"""The code of 409 while an earlier request with the same idempotency key is being carried out."""

Outcome = httpx.Response | httpx.TransportError


def pause_s(call: Call[Any], outcome: Outcome, tried: int) -> float | None:
    """Return for how many seconds to wait after so many tries; None: this is the answer."""
    if not is_worth_it(call, outcome):
        return None
    asked = asked_pause_s(outcome) if isinstance(outcome, httpx.Response) else None
    return growing_s(tried) if asked is None else asked


def is_uncertain(outcome: Outcome) -> bool:
    """Whether the platform may have carried it out, though it did not say so."""
    if isinstance(outcome, httpx.TransportError):
        return not isinstance(outcome, NOT_CONNECTED)
    return outcome.status_code in UNCERTAIN


def is_gone(outcome: Outcome) -> bool:
    """Whether there is no such thing, or no more."""
    return isinstance(outcome, httpx.Response) and outcome.status_code in (404, 410)


def is_worth_it(call: Call[Any], outcome: Outcome) -> bool:
    """Whether another try may bring another answer, and does no harm."""
    if isinstance(outcome, httpx.TransportError):
        return call.is_repeatable or not is_uncertain(outcome)
    if outcome.status_code in NOT_BEGUN:
        return True
    if outcome.status_code == 409:
        return UNDER_WAY in outcome.text and "Retry-After" in outcome.headers
    return outcome.status_code in UNCERTAIN and call.is_repeatable


def asked_pause_s(response: httpx.Response) -> float | None:
    """Return what `Retry-After` asks for, in seconds; None without one that can be read."""
    asked = response.headers.get("Retry-After", "")
    if asked.isdecimal():
        return min(float(asked), LONGEST_ASKED_S)
    try:
        seconds = (parsedate_to_datetime(asked) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError):
        return None
    return min(max(seconds, 0.0), LONGEST_ASKED_S)


def growing_s(tried: int) -> float:
    """Return a pause that doubles with each try, and is not the same for all who wait."""
    pause: float = min(FIRST_S * 2 ** (tried - 1), LONGEST_S)
    return pause * random.uniform(0.5, 1.0)
