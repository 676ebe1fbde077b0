"""A result that is handed to the caller part by part. A part that was handed over cannot be taken back."""

from collections.abc import Callable, Generator, Iterable
from typing import Generic, TypeVar

Part = TypeVar("Part")


class Handover(Generic[Part]):
    """The state of handing one result to the caller. Both chains of engines decide by it.

    has_begun: the caller has a part, so neither a retry nor another engine may follow: they would start over.
    is_outside: the caller's code runs inside the engine's call. An error it raises is not the engine's.
    is_declined: the caller stopped reading. The engine counts as successful.
    """

    def __init__(self, receive: Callable[[Part], None] | None = None) -> None:
        """receive: called with each part; None where the caller iterates (`through`) or waits."""
        self.receive = receive
        self.has_begun = False
        self.is_outside = False
        self.is_declined = False

    def give(self, part: Part) -> None:
        """Call `receive` with a part, which may be empty. Raises what it raises."""
        assert self.receive
        self.has_begun = self.has_begun or bool(part)
        self.is_outside = True  # stays true if `receive` raises
        self.receive(part)
        self.is_outside = False

    def through(self, parts: Iterable[Part]) -> Generator[Part]:
        """Yield each of `parts`."""
        for part in parts:
            self.has_begun = True
            try:
                yield part
            except GeneratorExit:
                self.is_declined = True
                raise
