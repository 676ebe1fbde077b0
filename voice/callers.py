"""Who asks something of the speech service.

How callers prove who they are is not decided here: whoever gives the service its addresses hands each
WebSocket its caller in `scope["caller"]`, and each request in `request.auth`
(interview_platform.web.callers). A WebSocket may stay open for days, so there is `scope["is_authorised"]`
too: an asynchronous function that says whether the caller may still use the service.
"""

from dataclasses import dataclass

from voice.errors import Forbidden


@dataclass(frozen=True, slots=True)
class Caller:
    """A key, a person, or an address.

    id: what limits count by, such as "key:<uuid>". owner: whom cloned voices and batches belong to, such as
    "organisation:7"; several callers may share one. Empty for who is not known: such a caller has neither.
    """

    id: str
    owner: str
    name: str
    is_operator: bool = False
    """Runs this installation, so may see its machines."""


def owner_of(caller: Caller) -> str:
    """Whom batches and cloned voices of this caller belong to.

    Raises:
        Forbidden: nobody.
    """
    if not caller.owner:
        raise Forbidden("Batches and cloned voices need somebody they belong to: send an API key or sign in.")
    return caller.owner
