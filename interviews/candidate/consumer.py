"""The candidate's WebSocket; docs/candidate-socket.md lists the messages.

`presence` knows the other connections and the waiting room. `commands` run text messages. `answer_stream`
takes and acknowledges frames. `outbox` sends.
"""

import asyncio
import contextlib
import time

from interviews.actions import answers
from interviews.actions.errors import ActionRefused
from interviews.candidate import commands, metrics
from interviews.candidate.answer_stream import AnswerStream
from interviews.candidate.audio import TakenOver
from interviews.candidate.outbox import Outbox
from interviews.candidate.presence import Presence
from interviews.candidate.session import CandidateSession, find
from interviews.events import watchers
from interviews.models import Session
from interviews.queries import links
from interviews.states import SessionStatus
from voice.capacity import shedding
from voice.infra import tracing
from voice.infra.websocket import CLOSE_TRY_AGAIN, Message, WebSocketConsumer
from voice.live import listener

ACCOMMODATED = "accommodation_changed"
"""The event after which answers may be longer, and pauses too."""
CLOSE_TAKEN_OVER, CLOSE_UNKNOWN, CLOSE_ENDED = 4001, 4004, 4010


class CandidateConsumer(WebSocketConsumer):
    """One candidate's connection. Everything that must survive it lies in PostgreSQL and Redis."""

    session: CandidateSession | None = None  # with it come the next three
    presence: Presence
    stream: AnswerStream
    outbox: Outbox
    is_inside = False  # the snapshot was sent
    _alarm: asyncio.TimerHandle | None = None

    async def dispatch(self, message: Message) -> None:
        """Call the handler of a message. A connection whose candidate was erased ends."""
        try:
            await super().dispatch(message)
        except Session.DoesNotExist:
            await self.close(CLOSE_ENDED)

    async def connect(self) -> None:
        metrics.CONNECTIONS.inc()
        shedding.watch(listener.behind_s)
        await self.accept()
        try:
            session, expected_s = await find(self.scope["url_route"]["kwargs"]["token"])
        except links.LinkProblem as problem:
            await self.close(CLOSE_UNKNOWN if problem.kind == "unknown" else CLOSE_ENDED)
            return
        self.session = CandidateSession(session.pk, session.invitation)
        self.outbox = Outbox(self.base_send)
        self.stream = AnswerStream(self.outbox, channel_name=self.channel_name)
        self.presence = Presence(
            session.pk,
            query_string=self.scope["query_string"],
            channel_layer=self.channel_layer,
            channel_name=self.channel_name,
        )
        if not await self.presence.connect():
            await self._end_for_other()
            return
        watchers.hint(session.interview.organisation_id)
        if (how := self.presence.came_back) is not None:
            await self.session.note(how)
        is_let_in = await self.presence.enter_waiting_room(
            status=session.status, expected_s=expected_s, tell=self.outbox.wait, let_in=self._let_in
        )
        if is_let_in:
            await self._come_in(self.session)

    async def disconnect(self, code: int) -> None:
        metrics.CONNECTIONS.dec()
        if self.session is None:
            return
        await self.presence.leave_waiting_room()
        self._stop_alarm()
        await self.stream.stop_listening()
        await self.presence.leave_group()
        if self.is_inside:
            await self.session.keep_time()
            await self.session.mark_seen()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.session is None:
            return  # being closed
        try:
            if bytes_data is not None:
                await self.stream.receive(bytes_data)
            else:
                await self._receive_text(text_data or "", self.session)
        except TakenOver:
            await self._end_for_other()
        except ActionRefused as refusal:
            (metrics.ERRORS if bytes_data is None else metrics.FRAMES_REFUSED).labels(refusal.code).inc()
            await self.outbox.error(refusal.code, refusal.detail, **refusal.extra)

    async def _receive_text(self, text: str, session: CandidateSession) -> None:
        message = commands.parse(text)
        if message["type"] == "ping":
            await self._pong(session)
        elif self.is_inside:
            await commands.run(message, session, self.stream)
            self._set_alarm(session)
        else:
            raise commands.StillWaiting("The candidate has not been let in: wait for the snapshot.")

    def _set_alarm(self, session: CandidateSession) -> None:
        """Look again when the time of the current answer is over, whether the page sends something or not."""
        self._stop_alarm()
        left_s = session.clock.left_s(time.monotonic())
        if left_s is not None:
            self._alarm = asyncio.get_running_loop().call_later(left_s, self._ring)

    def _stop_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _ring(self) -> None:
        self._ringing = asyncio.ensure_future(self.dispatch({"type": "answer.over"}))

    async def _pong(self, session: CandidateSession) -> None:
        await self.presence.join_group()
        if self.is_inside:
            await session.mark_seen_if_due()
        await self.outbox.pong()

    async def _let_in(self) -> None:
        """Admit the candidate between two messages of the connection, so that later messages follow."""
        await self.dispatch({"type": "candidate.let_in"})

    async def _come_in(self, session: CandidateSession) -> None:
        try:
            await self.outbox.send(await session.snapshot())
        except links.LinkProblem:
            await self.close(CLOSE_ENDED)
            return
        self.is_inside = True
        assert self.session is not None, "a session came in"
        self._set_alarm(self.session)

    async def _end_for_other(self) -> None:
        """Another connection goes on. It may be a newer tab's, or one that this tab gave up long ago.

        The second was held up by a store and took its number after us: then our tab need only come back.
        """
        self.stream.stop_receiving()
        if await self.presence.has_tab():
            await self.close(CLOSE_TRY_AGAIN)
            return
        await self.outbox.send({"type": "taken_over"})
        await self.close(CLOSE_TAKEN_OVER)

    # --- From the channel layer and from ourselves: the type names the method ---------------------

    async def candidate_let_in(self, message: dict) -> None:
        assert self.session is not None, "only a visit lets in, and a visit has a session"
        try:
            await self._come_in(self.session)
        except Session.DoesNotExist:
            raise
        except Exception:
            await self.close(CLOSE_TRY_AGAIN)  # the place is kept
            raise

    async def session_event(self, message: dict) -> None:
        if not self.is_inside:
            return  # the snapshot will have it
        assert self.session is not None, "a session came in"
        self.session.follow(message["event"])
        self._set_alarm(self.session)
        await self.outbox.send(message["event"])
        if message["event"]["name"] == ACCOMMODATED:
            await self._adapt(self.session)
        if message["event"]["session"]["status"] == SessionStatus.FINISHED:
            await self.presence.give_place_back()

    async def _adapt(self, session: CandidateSession) -> None:
        """Record and listen on as the candidate's accommodation now says: the page gets its new limit."""
        if self.stream.recorded is not None:
            await self.stream.begin(await session.answer(self.stream.recorded))

    async def answer_over(self, message: dict) -> None:
        """The page did not begin or end the answer in time: the server does."""
        session = self.session
        assert session is not None, "only a session has an alarm"
        answer_id = session.clock.over(time.monotonic())
        if answer_id is not None:
            has_speech = await self.stream.has_speech(answer_id)
            with (
                contextlib.suppress(ActionRefused),  # the page was faster
                self.stream.in_trace_of(answer_id),
                tracing.span("time out answer"),
            ):
                await session.act_on_answer(answers.time_out, answer_id, has_speech=has_speech)
        self._set_alarm(session)

    async def session_taken_over(self, message: dict) -> None:
        if self.presence.is_older_than(message["number"]):
            await self._end_for_other()

    async def session_closed(self, message: dict) -> None:
        await self.close(CLOSE_ENDED)

    async def voice_partial(self, message: dict) -> None:  # queued jobs send a caption under this name
        await self.stream.show_caption(message["start"], message["end"], message["text"])
