"""Who asks something of the speech service.

How callers prove who they are is not decided here: whoever gives the service its addresses hands each
WebSocket its caller in `scope["caller"]`, and each request in `request.auth`
(interview_platform.voice_access).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """A key, a person, or an address.

    id: what limits count by, such as "key:<uuid>". owner: whom cloned voices and batches belong to, such as
    "organisation:7"; several callers may share one.
    """

    id: str
    owner: str
    name: str
