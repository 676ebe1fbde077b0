"""What is asked of the API, before anything is sent."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Self, TypeVar

T = TypeVar("T")
"""What the answer is."""


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One request. path: below /api/v1. if_match: the ETag of the row that is changed; "": whatever it is."""

    method: str
    path: str
    params: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    if_match: str = ""

    @property
    def is_repeatable(self) -> bool:
        """Whether it may be sent again when it may have arrived. A POST may, by its idempotency key."""
        return self.method != "PATCH"


@dataclass(frozen=True, slots=True)
class Pages(Generic[T]):
    """A list that comes in pages."""

    path: str
    params: Mapping[str, Any] = field(default_factory=dict)

    def with_params(self, **params: Any) -> Self:
        """Return the same list with more parameters."""
        return replace(self, params={**self.params, **params})


def given(**values: Any) -> dict[str, Any]:
    """Return the values that are not None: what is left out is not sent."""
    return {name: value for name, value in values.items() if value is not None}
