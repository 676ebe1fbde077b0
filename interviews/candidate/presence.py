"""A connection among the other connections of its candidate, and its place in the waiting room."""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

from interviews.admission import tabs, waiting_room
from interviews.events import publishing
from interviews.models import Observation


class Presence:
    """A connection's number, its membership of the session's group, and its visit to the waiting room."""

    def __init__(
        self, session_id: UUID, *, query_string: bytes, channel_layer: Any, channel_name: str
    ) -> None:
        """query_string: of the connection's address; it names the tab."""
        self._session_id = session_id
        self._query = parse_qs(query_string.decode())
        self._group = publishing.group_name(session_id)
        self._channel_layer, self._channel_name = channel_layer, channel_name
        self._number = 0
        self._visit: waiting_room.Visit | None = None

    async def connect(self) -> bool:
        """Take the interview over from older connections. Return False if another tab has it."""
        self._number = await tabs.connect(self._session_id, self._query)
        if not self._number:
            return False
        await self.join_group()
        if self._number > 1:  # there may be an older one
            message = {"type": "session.taken_over", "number": self._number}
            await self._channel_layer.group_send(self._group, message)
        return True

    @property
    def came_back(self) -> Observation.Kind | None:
        """How the candidate came back, if this is not the first connection that is remembered."""
        if self._number <= 1:
            return None
        return Observation.Kind.OPENED_AGAIN if "claim" in self._query else Observation.Kind.RECONNECTED

    def is_older_than(self, number: int) -> bool:
        """Whether the connection with that number is newer. A connection also receives its own number."""
        return number > self._number

    async def has_tab(self) -> bool:
        """Whether this tab still has the interview."""
        return await tabs.still_holds(self._session_id, self._query)

    async def join_group(self) -> None:
        """Receive the session's events. Call it again after Redis lost its data: the group is there."""
        await self._channel_layer.group_add(self._group, self._channel_name)

    async def leave_group(self) -> None:
        """Receive no more events."""
        await self._channel_layer.group_discard(self._group, self._channel_name)

    async def enter_waiting_room(
        self,
        *,
        status: str,
        expected_s: float,
        tell: Callable[[waiting_room.Wait], Awaitable[None]],
        let_in: Callable[[], Awaitable[None]],
    ) -> bool:
        """Take a place or stand in line (`waiting_room.enter`). Return whether the candidate has a place."""
        self._visit = await waiting_room.enter(
            self._session_id, status=status, expected_s=expected_s, tell=tell, let_in=let_in
        )
        return self._visit.wait is None

    async def give_place_back(self) -> None:
        """Free the place: the interview is over, though the connection is still open."""
        if self._visit is not None:
            await waiting_room.finish(self._visit)

    async def leave_waiting_room(self) -> None:
        """Leave: the connection is gone."""
        # `let_in` of the visit refers to the consumer. Without this both would be freed minutes later.
        visit, self._visit = self._visit, None
        if visit is not None:
            await waiting_room.leave(visit)
