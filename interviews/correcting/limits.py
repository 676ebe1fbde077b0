"""How often a candidate may change something: each change reads and compares a whole answer."""

from interviews import tokens
from interviews.models import Session
from voice.capacity import allowances
from voice.capacity.allowances import Policy

CHANGES = Policy("changes-of-heard", limit=60, window_s=600)
"""Of one interview, counted by a keyed hash of its id: six a minute, for as long as anyone would go on."""


def wait_s(session: Session) -> int | None:
    """Count a change. Return in how many seconds the next may come, if they come too often."""
    counted = allowances.count_in_thread(CHANGES, tokens.digest(str(session.pk)).hex())
    return counted.reset_s if counted.is_exceeded else None
