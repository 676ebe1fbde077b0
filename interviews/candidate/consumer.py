"""The candidate's WebSocket: parse, call one action, answer. docs/candidate-socket.md lists the messages."""

import json
import time
from collections.abc import Callable
from functools import partial
from urllib.parse import parse_qs
from uuid import UUID

import redis
from django.db import transaction
from django.utils import timezone

from interviews.actions import sessions
from interviews.actions.errors import ActionRefused, NotYours, WrongState
from interviews.admission import estimate, waiting_room
from interviews.candidate import metrics, tabs
from interviews.candidate.audio import FrameRefused, Incoming, TakenOver
from interviews.candidate.commands import (
    ANSWER_COMMANDS,
    COMPLETING_COMMANDS,
    RECORDING_COMMANDS,
    SESSION_COMMANDS,
    StillWaiting,
    UnknownCommand,
    field,
    parse,
)
from interviews.candidate.turn_taking import turn_settings
from interviews.events import publishing, snapshots
from interviews.models import Answer, Invitation, Session
from interviews.queries import links, rows
from interviews.states import AnswerStatus, SessionStatus
from voice.capacity import shedding
from voice.infra.threads import in_thread
from voice.infra.websocket import CLOSE_TRY_AGAIN, WebSocketConsumer
from voice.live import listener
from voice.live.caption_queue import queue_partial
from voice.live.listener import Heard, Listener
from voice.models import Recording
from voice.recordings import buffer

CLOSE_TAKEN_OVER, CLOSE_UNKNOWN, CLOSE_ENDED = 4001, 4004, 4010

SEEN_EVERY_S = 60


class CandidateConsumer(WebSocketConsumer):
    """One candidate's connection. Everything that must survive it lies in PostgreSQL and Redis."""

    incoming: Incoming | None = None
    listener: Listener | None = None
    session_id: UUID | None = None
    invitation: Invitation
    visit: waiting_room.Visit | None = None
    is_inside = False  # the snapshot was sent
    number = 0
    seen_at = 0.0

    async def connect(self) -> None:
        self.seen_at = time.monotonic()
        metrics.CONNECTIONS.inc()
        shedding.watch(listener.behind_s)
        await self.accept()
        try:
            session, expected_s = await self._find(self.scope["url_route"]["kwargs"]["token"])
        except links.LinkProblem as problem:
            await self.close(CLOSE_UNKNOWN if problem.kind == "unknown" else CLOSE_ENDED)
            return
        self.invitation, self.session_id = session.invitation, session.pk
        self.number = await tabs.connect(self.session_id, self._query)
        if not self.number:
            await self._end_for_other()
            return
        group = publishing.group_name(self.session_id)
        await self.channel_layer.group_add(group, self.channel_name)
        if self.number > 1:  # there may be an older one
            await self.channel_layer.group_send(group, {"type": "session.taken_over", "number": self.number})
        self.visit = await waiting_room.enter(
            session.pk, status=session.status, expected_s=expected_s, tell=self._wait, let_in=self._let_in
        )
        if self.visit.wait is None:
            await self._come_in()

    async def disconnect(self, code: int) -> None:
        metrics.CONNECTIONS.dec()
        visit, self.visit = self.visit, None  # they know each other: nobody collects such pairs for minutes
        if visit is not None:
            await waiting_room.leave(visit)
        await self._stop_listening()
        if self.session_id is not None:
            await self.channel_layer.group_discard(publishing.group_name(self.session_id), self.channel_name)
        if self.is_inside:
            await in_thread(sessions.mark_seen)(session_id=self._session_id())

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.session_id is None:
            return  # being closed
        try:
            if bytes_data is not None:
                await self._frame(bytes_data)
            else:
                await self._command(text_data or "")
        except ActionRefused as refusal:
            (metrics.ERRORS if bytes_data is None else metrics.FRAMES_REFUSED).labels(refusal.code).inc()
            await self._send_error(refusal.code, refusal.detail, **refusal.extra)

    # --- Admission --------------------------------------------------------------------------------

    async def _wait(self, wait: waiting_room.Wait) -> None:
        await self._send({"type": "waiting", **wait._asdict()})

    async def _let_in(self) -> None:
        """A place is free: come in between two messages of the connection; what comes later follows."""
        await self.dispatch({"type": "candidate.let_in"})

    async def candidate_let_in(self, message: dict) -> None:
        try:
            await self._come_in()
        except Exception:
            await self.close(CLOSE_TRY_AGAIN)  # the place is kept
            raise

    async def _come_in(self) -> None:
        await self._send(await self._snapshot())
        self.is_inside = True

    # --- Audio ------------------------------------------------------------------------------------

    async def _frame(self, data: bytes) -> None:
        """Acknowledge a frame once it is held; everything else that hears it does so later."""
        came_at = time.monotonic()
        if self.incoming is None:
            raise FrameRefused("not_recording", "No answer is being recorded: begin or select one first.")
        try:
            frame, held_bytes = await self.incoming.take(data)
        except TakenOver:
            await self._end_for_other()
            return
        await self.send_text(f'{{"type": "ack", "offset": {held_bytes}}}')
        metrics.frame_acked(time.monotonic() - came_at, len(frame.pcm))
        if self.listener is not None:
            self.listener.feed(frame.offset, frame.pcm)

    async def _receive_for(self, answer: Answer) -> None:
        """From now on binary frames belong to this answer's recording; say where to go on."""
        incoming = Incoming(answer, writer=self.channel_name)
        offset = await incoming.open()
        self.incoming = incoming
        await self._stop_listening()
        if answer.status == AnswerStatus.RECORDING:
            self.listener = self._new_listener(answer, offset)
        await self._send(
            {
                "type": "resume",
                "answer": incoming.answer_id,
                "recording": str(incoming.recording_id),
                "offset": offset,
                "limit_bytes": incoming.limit_bytes,
            }
        )

    def _new_listener(self, answer: Answer, offset: int) -> Listener:
        recording = answer.current_recording
        ask = partial(
            queue_partial,
            recording_id=recording.id,
            language=recording.language,
            reply_to=self.channel_name,
        )
        return Listener(
            f"recording {recording.id}",
            noticed=self._noticed,
            request_partial=ask,
            read=partial(_read, recording.id),
            turn_settings=turn_settings(answer.session.interview),
            offset=offset,
        )

    async def _noticed(self, event: Heard) -> None:
        await self._tell_heard(listener.message(event))

    async def _tell_heard(self, message: dict) -> None:
        """What was heard, with the answer it belongs to."""
        if self.incoming is not None:
            await self._send({"answer": self.incoming.answer_id, **message})

    async def _stop_listening(self) -> None:
        if self.listener is not None:
            leaving, self.listener = self.listener, None
            await leaving.close()

    # --- Commands ---------------------------------------------------------------------------------

    async def _command(self, text: str) -> None:
        message = parse(text)
        command = message["type"]
        if not self.is_inside and command != "ping":
            raise StillWaiting("The candidate has not been let in: wait for the snapshot.")
        if command in SESSION_COMMANDS:
            await self._act(SESSION_COMMANDS[command])
        elif command in ANSWER_COMMANDS:
            await self._answer_to(ANSWER_COMMANDS[command], message)
        elif command in RECORDING_COMMANDS:
            await self._receive_for(await self._answer_to(RECORDING_COMMANDS[command], message))
        elif command in COMPLETING_COMMANDS:
            await self._complete(message)
        elif command == "select":
            await self._select(await self._answer(message))
        elif command == "ping":
            await self._pong()
        else:
            raise UnknownCommand(f"{command[:40]!r} is not a command.")

    async def _pong(self) -> None:
        """The candidate is there. A Redis that lost its data forgot the group: join it again."""
        session_id = self._session_id()
        await self.channel_layer.group_add(publishing.group_name(session_id), self.channel_name)
        if self.is_inside and time.monotonic() - self.seen_at > SEEN_EVERY_S:
            self.seen_at = time.monotonic()
            await in_thread(sessions.mark_seen)(session_id=session_id)
        await self.send_text('{"type": "pong"}')

    async def _complete(self, message: dict) -> None:
        action, fields = COMPLETING_COMMANDS[message["type"]]
        values = {argument: field(message, *expected) for argument, expected in fields.items()}
        await self._stop_listening()  # first, so that no caption is asked for beside the final transcript
        await self._answer_to(action, message, **values)

    async def _select(self, answer: Answer) -> None:
        recording = answer.recording
        if recording is None or recording.status not in (Recording.Status.OPEN, Recording.Status.SEALED):
            raise WrongState("answer has no recording that waits for audio.")
        await self._receive_for(answer)

    async def _act(self, action: Callable[..., None]) -> None:
        """Call an action on the session."""

        @transaction.atomic
        def call() -> None:
            session = rows.session(self._session_id(), is_locked=True)
            action(session=session, by=self.invitation, now=timezone.now())

        await in_thread(call)()

    async def _answer_to(self, action: Callable[..., None], message: dict, **values: object) -> Answer:
        """Call an action on the answer that the message names; return the answer."""
        answer_id = field(message, "answer", str)

        @transaction.atomic
        def call() -> Answer:
            answer = self._answer_row(answer_id, is_locked=True)
            action(answer=answer, by=self.invitation, now=timezone.now(), **values)
            return answer

        return await in_thread(call)()

    async def _answer(self, message: dict) -> Answer:
        return await in_thread(self._answer_row)(field(message, "answer", str))

    # --- Rows (called in threads) -----------------------------------------------------------------

    @in_thread
    def _find(self, token: str) -> tuple[Session, float]:
        """The session, and how long a new candidate's interview takes, in s."""
        invitation, session = links.find(token, now=timezone.now(), is_finished_welcome=True)
        if session is None:
            raise links.LinkProblem("unknown", invitation)  # consent comes first
        is_new = session.status == SessionStatus.CHECKING
        return session, estimate.expected_s(invitation.interview_id) if is_new else 0.0

    @in_thread
    def _snapshot(self) -> dict:
        sessions.mark_seen(session_id=self._session_id())
        return snapshots.snapshot(rows.session(self._session_id()))

    def _session_id(self) -> UUID:
        assert self.session_id is not None, "messages are taken only after the link was found"
        return self.session_id

    def _answer_row(self, answer_id: str, *, is_locked: bool = False) -> Answer:
        try:
            session = rows.session(self._session_id(), is_locked=is_locked)
            answer = rows.answer(session, UUID(answer_id))
        except (Session.DoesNotExist, ValueError):
            answer = None
        if answer is None:
            raise NotYours("answer: this interview has none with that id.")
        return answer

    # --- From the channel layer -------------------------------------------------------------------

    async def session_event(self, message: dict) -> None:
        if not self.is_inside:
            return  # the snapshot will have it
        await self._send(message["event"])
        if self.visit is not None and message["event"]["session"]["status"] == SessionStatus.FINISHED:
            await waiting_room.finish(self.visit)

    async def session_taken_over(self, message: dict) -> None:
        if message["number"] > self.number:  # an older connection's own announcement may come late
            await self._end_for_other()

    async def session_closed(self, message: dict) -> None:
        await self.close(CLOSE_ENDED)

    async def voice_partial(self, message: dict) -> None:
        if self.listener is None:
            return
        caption = self.listener.partial_recognised(message["start"], message["end"], message["text"])
        if caption is not None:
            await self._tell_heard({"type": "caption", "text": caption})

    @property
    def _query(self) -> dict[str, list[str]]:
        return parse_qs(self.scope["query_string"].decode())

    async def _end_for_other(self) -> None:
        """Another connection goes on: of another tab, which ends this one; or of this one, given up long ago.

        That one was held up by a store, and came to its turn after us: our tab need only come back.
        """
        self.incoming = None
        if await tabs.still_holds(self._session_id(), self._query):
            await self.close(CLOSE_TRY_AGAIN)
            return
        await self._send({"type": "taken_over"})
        await self.close(CLOSE_TAKEN_OVER)

    async def _send(self, message: dict) -> None:
        await self.send_text(json.dumps(message))

    async def _send_error(self, code: str, detail: str, **extra: object) -> None:
        await self._send({"type": "error", "code": code, "detail": detail, **extra})


def _read(recording_id: UUID, start: int, end: int) -> bytes:
    """Bytes [start, end) of the recording, for its listener; none while Redis is away."""
    try:
        return buffer.read(recording_id, start, end)
    except redis.RedisError:
        return b""
