"""The callers of the speech service.

Authentication happens elsewhere: the project that mounts the service's addresses puts the caller of each
WebSocket into `scope["caller"]` and the caller of each request into `request.auth`
(interview_platform.web.callers). A WebSocket may stay open for days, so there is also
`scope["is_authorised"]`: an asynchronous function that says whether the caller may still use the service. It
is asked regularly (`scope["is_authorised_for_s"]` says how often, if the project wants), and at once after
`caller.changed` was sent to the caller's group of the channel layer.
"""

import re
from dataclasses import dataclass
from typing import Final

from voice.errors import Forbidden

READ: Final = "voice:read"
WRITE: Final = "voice:write"
"""What a caller's key must have been issued for: to look at what there is; to cause or delete anything."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The holder of an API key, a signed-in person, or an address.

    id: the limits count by it, such as "key:<uuid>".
    owner: the owner of cloned voices and batches, such as "organisation:7"; several callers may share one. It
    is empty for an unknown caller, who can have neither.
    """

    id: str
    owner: str
    name: str
    is_operator: bool = False
    """Operates this installation, so may see its machines."""


def group_of(caller_id: str) -> str:
    """Return the channel layer's group of this caller's connections, which take `caller.changed`."""
    return "voice.caller." + re.sub(r"[^0-9A-Za-z.-]", "_", caller_id)


def tenant_of(caller: Caller) -> str:
    """Return the caller's tenant: its owner, whom several callers may share, else this caller alone.

    Tenants take turns (`voice.queues.turns`), and callers of one tenant share cached speech.
    """
    return caller.owner or caller.id


def owner_of(caller: Caller) -> str:
    """Return the owner of this caller's batches and cloned voices.

    Raises:
        Forbidden: the caller has no owner.
    """
    if not caller.owner:
        raise Forbidden("Batches and cloned voices need somebody they belong to: send an API key or sign in.")
    return caller.owner
