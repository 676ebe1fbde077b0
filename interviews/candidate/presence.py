"""One connection among a candidate's others, and its place in the waiting room."""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

from interviews.admission import tabs, waiting_room
from interviews.events import publishing


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
        """Take the interview over from older connections. False: another tab has it."""
        self._number = await tabs.connect(self._session_id, self._query)
        if not self._number:
            return False
        await self.join_group()
        if self._number > 1:  # there may be an older one
            message = {"type": "session.taken_over", "number": self._number}
            await self._channel_layer.group_send(self._group, message)
        return True

    def is_older_than(self, number: int) -> bool:
        """Whether the connection with that number came later. Its announcement may reach itself, late."""
        return number > self._number

    async def has_tab(self) -> bool:
        """Whether the interview is still this tab's."""
        return await tabs.still_holds(self._session_id, self._query)

    async def join_group(self) -> None:
        """Get the session's events. A Redis that lost its data forgot the group: join again."""
        await self._channel_layer.group_add(self._group, self._channel_name)

    async def leave_group(self) -> None:
        """Get no more events."""
        await self._channel_layer.group_discard(self._group, self._channel_name)

    async def enter_waiting_room(
        self,
        *,
        status: str,
        expected_s: float,
        tell: Callable[[waiting_room.Wait], Awaitable[None]],
        let_in: Callable[[], Awaitable[None]],
    ) -> bool:
        """Take a place or stand in line, see `waiting_room.enter`. True: the candidate comes in at once."""
        self._visit = await waiting_room.enter(
            self._session_id, status=status, expected_s=expected_s, tell=tell, let_in=let_in
        )
        return self._visit.wait is None

    async def give_place_back(self) -> None:
        """The interview is over, though the connection is still open."""
        if self._visit is not None:
            await waiting_room.finish(self._visit)

    async def leave_waiting_room(self) -> None:
        """The connection is gone."""
        # The visit holds the consumer, by `let_in`. Dropped here, both are freed now and not minutes later.
        visit, self._visit = self._visit, None
        if visit is not None:
            await waiting_room.leave(visit)
