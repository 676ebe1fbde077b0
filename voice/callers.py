"""The callers of the speech service.

Authentication happens elsewhere: the project that mounts the service's addresses puts the caller of each
WebSocket into `scope["caller"]` and the caller of each request into `request.auth`
(interview_platform.web.callers). A WebSocket may stay open for days, so there is also
`scope["is_authorised"]`: an asynchronous function that says whether the caller may still use the service.
"""

from dataclasses import dataclass

from voice.errors import Forbidden


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

    @property
    def tenant(self) -> str:
        """Whose turn it is when this caller's work begins (`voice.queues.turns`)."""
        return self.owner or self.id


def owner_of(caller: Caller) -> str:
    """Return the owner of this caller's batches and cloned voices.

    Raises:
        Forbidden: the caller has no owner.
    """
    if not caller.owner:
        raise Forbidden("Batches and cloned voices need somebody they belong to: send an API key or sign in.")
    return caller.owner
