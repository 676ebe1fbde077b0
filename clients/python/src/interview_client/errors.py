"""What the client raises. Each refusal of the API is a `Problem` (RFC 9457)."""

from collections.abc import Mapping
from typing import Any


class ClientError(Exception):
    """Everything that this package raises."""


class Unreachable(ClientError):
    """The platform did not answer, at no try."""


class Problem(ClientError):
    """The platform refused.

    status: of HTTP. code: for programs, such as "bad_value". detail: for people. field: which value is wrong,
    "" if none is to blame. errors: each value that is wrong, with its `field` and `detail`. scope: which one
    the key lacks. request_id: tell it to the operator. document: all of the answer.
    """

    def __init__(self, status: int, document: Mapping[str, Any]) -> None:
        self.status = status
        self.document = document
        self.code: str = document.get("code", "")
        self.detail: str = document.get("detail", "")
        self.field: str = document.get("field") or ""
        self.errors: list[Mapping[str, Any]] = document.get("errors") or []
        self.scope: str = document.get("scope") or ""
        self.request_id: str = document.get("request_id") or ""
        super().__init__(f"{status} {self.code}: {self.detail}")


class Unauthenticated(Problem):
    """401: the key is wrong, revoked or has ended."""


class Forbidden(Problem):
    """403: the key is not for this; `scope` says what it lacks."""


class NotFound(Problem):
    """404: there is no such row in your organisation."""


class Conflict(Problem):
    """409: the state of the row does not allow it."""


class ChangedMeanwhile(Problem):
    """412: the row is not as it was read. Read it again, and decide anew."""


class BadValue(Problem):
    """422: a value is not allowed; `field` names it."""


class RateLimited(Problem):
    """429, at each try."""


class Unavailable(Problem):
    """5xx, at each try."""


_KINDS: dict[int, type[Problem]] = {
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    412: ChangedMeanwhile,
    422: BadValue,
    429: RateLimited,
}


def problem(status: int, document: Any) -> Problem:
    """Return the error for an answer; document: its JSON, whatever that is."""
    kind = Unavailable if status >= 500 else _KINDS.get(status, Problem)
    return kind(status, document if isinstance(document, Mapping) else {})
