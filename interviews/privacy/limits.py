"""How often a candidate may download everything: each download reads every recording."""

from interviews import tokens
from interviews.models import Invitation
from voice.capacity import allowances
from voice.capacity.allowances import Policy

DOWNLOADS = Policy("own-data", limit=3, window_s=3600)
"""Of one candidate, counted by a keyed hash: an erasure within the hour leaves no id."""


def wait_s(invitation: Invitation) -> int | None:
    """Count a download. Return in how many seconds the next may begin, if they come too often."""
    counted = allowances.count_in_thread(DOWNLOADS, tokens.digest(str(invitation.pk)).hex())
    return counted.reset_s if counted.is_exceeded else None
