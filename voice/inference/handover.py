"""A result on its way to the caller, part by part: what is handed out cannot be taken back."""

from collections.abc import Callable, Generator, Iterable
from typing import Generic, TypeVar

Part = TypeVar("Part")


class Handover(Generic[Part]):
    """The parts of one result, and how far the caller has them. Both chains of engines go by it.

    has_begun: the caller has a part. A further try or another engine would begin anew: neither may follow.
    is_outside: code of the caller runs inside the engine's call. What it raises is not the engine's fault.
    is_declined: the caller wants no more. The parts until then were good, so the engine did its work.
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
        self.is_outside = True  # if it raises, until the end of the engine's call
        self.receive(part)
        self.is_outside = False

    def through(self, parts: Iterable[Part]) -> Generator[Part]:
        """Each of `parts`, handed to the caller who iterates."""
        for part in parts:
            self.has_begun = True
            try:
                yield part
            except GeneratorExit:
                self.is_declined = True
                raise
