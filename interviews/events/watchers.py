"""Hints to staff's pages that show interviews under way (`interviews.watching`): something changed.

They do not say what. A thousand candidates change something a hundred times a second, so a process hints at
most once in `WITHIN_S` for an organisation, and a page reads what it shows when it is its turn.
"""

from typing import Final

from voice.infra import channel_layer

WITHIN_S: Final = 0.4
EVERYWHERE: Final = "watchers"
"""The channel-layer group of people who see every organisation."""


def group_name(organisation_id: int) -> str:
    """Return the channel-layer group of the pages that show an organisation's interviews."""
    return f"{EVERYWHERE}.{organisation_id}"


def hint(organisation_id: int) -> None:
    """Say that something changed in an interview of the organisation. Returns at once."""
    for group in (group_name(organisation_id), EVERYWHERE):
        channel_layer.group_send_soon(group, {"type": "interviews.changed"}, within_s=WITHIN_S)
