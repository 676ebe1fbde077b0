"""The candidate's WebSocket: parse, call one action, answer. docs/candidate-socket.md lists the messages."""

import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

import redis
from channels.consumer import get_handler_name
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from interviews import events, links, snapshots, tabs
from interviews.actions import answers, sessions
from interviews.actions.errors import ActionRefused, NotYours, WrongState
from interviews.models import Answer, Invitation, Session
from interviews.states import AnswerStatus
from interviews.turn_taking import turn_settings
from voice import hot_audio, listening, recordings, wire
from voice.hot_audio import Outcome
from voice.listening import Heard, Listener
from voice.models import Recording
from voice.partials import queue_partial
from voice.threads import in_thread

logger = logging.getLogger(__name__)

CLOSE_TRY_AGAIN, CLOSE_TAKEN_OVER, CLOSE_UNKNOWN, CLOSE_ENDED = 1013, 4001, 4004, 4010

SEEN_EVERY_S = 60

SESSION_COMMANDS = {"devices_checked": sessions.check_devices, "skip_practice": sessions.skip_practice}
ANSWER_COMMANDS = {"ask": answers.ask, "accept_answer": answers.accept}
RECORDING_COMMANDS = {"begin_answer": answers.begin, "retake": answers.retake}
"""Answered by `resume`: binary frames belong to the new recording from then on."""
COMPLETING_COMMANDS: dict[str, tuple[Callable[..., None], dict[str, tuple[str, type, Any]]]] = {
    "finish_answer": (answers.finish, {"byte_count": ("bytes", int, None)}),
    "type_answer": (answers.type_answer, {"text": ("text", str, None), "byte_count": ("bytes", int, 0)}),
}
"""The action, and for each argument the message's field, its type, and what it is where it is missing."""


@dataclass
class Incoming:
    """The recording that the connection's binary frames belong to."""

    answer_id: str
    recording_id: UUID
    limit_bytes: int


class BadMessage(ActionRefused):
    """Not a message of the protocol."""

    code = "bad_message"


class UnknownCommand(ActionRefused):
    """A message whose type the server does not know."""

    code = "unknown_command"


class CandidateConsumer(AsyncWebsocketConsumer):
    """One candidate's connection. Everything that must survive it lies in PostgreSQL and Redis."""

    incoming: Incoming | None = None
    listener: Listener | None = None
    session_id: UUID | None = None
    invitation: Invitation
    number = 0
    seen_at = 0.0

    async def dispatch(self, message: dict) -> None:
        """Without Channels' own, which closes database connections in a shared thread before each frame.

        Ours are given back where they are used: see `in_thread`.
        """
        await getattr(self, get_handler_name(message))(message)

    async def connect(self) -> None:
        self.seen_at = time.monotonic()
        await self.accept()
        try:
            self.invitation, self.session_id = await self._find(self.scope["url_route"]["kwargs"]["token"])
        except links.LinkProblem as problem:
            await self.close(CLOSE_UNKNOWN if problem.kind == "unknown" else CLOSE_ENDED)
            return
        if not await tabs.holds(self.session_id, parse_qs(self.scope["query_string"].decode())):
            await self._end_for_other()
            return
        self.number = await tabs.next_number(self.session_id)
        await self.channel_layer.group_add(events.group_name(self.session_id), self.channel_name)
        await self.channel_layer.group_send(
            events.group_name(self.session_id), {"type": "session.taken_over", "number": self.number}
        )
        await self._send(await self._snapshot())

    async def disconnect(self, code: int) -> None:
        await self._stop_listening()
        if self.session_id is not None:
            await self.channel_layer.group_discard(events.group_name(self.session_id), self.channel_name)
            await in_thread(sessions.mark_seen)(session_id=self.session_id)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.session_id is None:
            return  # being closed
        try:
            if bytes_data is not None:
                await self._frame(bytes_data)
            else:
                await self._command(text_data or "")
        except ActionRefused as refusal:
            await self._send_error(refusal.code, refusal.detail, **refusal.extra)
        except (redis.RedisError, OperationalError, InterfaceError) as error:
            logger.warning("session %s: store not reached (%s)", self.session_id, type(error).__name__)
            await self.close(CLOSE_TRY_AGAIN)  # nothing was acknowledged; the browser comes back and goes on

    # --- Audio ------------------------------------------------------------------------------------

    async def _frame(self, data: bytes) -> None:
        """One frame costs one round trip to Redis; everything else that hears it does so later."""
        incoming = self.incoming
        if incoming is None:
            raise _Refused("not_recording", "No answer is being recorded: begin or select one first.")
        try:
            frame = wire.unpack(data)
        except wire.BadFrame as error:
            raise _Refused("bad_frame", str(error)) from error
        write = await self._write(incoming, frame)
        match write.outcome:
            case Outcome.HELD:
                await self._send({"type": "ack", "offset": write.held_bytes})
                if self.listener is not None:
                    self.listener.hear(frame.offset, frame.pcm)
            case Outcome.GAP:
                detail = f"Bytes are missing: send again from {write.held_bytes}."
                raise _Refused("gap", detail, offset=write.held_bytes)
            case Outcome.OVER_LIMIT:
                detail = f"The answer may have {incoming.limit_bytes} bytes of audio."
                raise _Refused("over_limit", detail, offset=write.held_bytes)
            case Outcome.TAKEN_OVER:
                await self._end_for_other()

    async def _write(self, incoming: Incoming, frame: wire.Frame) -> hot_audio.Write:
        arguments = {"writer": self.channel_name, "offset": frame.offset, "pcm": frame.pcm}
        write = await hot_audio.write(incoming.recording_id, **arguments)
        if write.outcome is Outcome.UNOPENED:  # Redis lost its data: open again from the row
            recording = await in_thread(Recording.objects.get)(pk=incoming.recording_id)
            if recording.status not in (Recording.Status.OPEN, Recording.Status.SEALED):
                raise _Refused(
                    "not_recording", "That recording is stored or was deleted: nothing is missing."
                )
            await recordings.open_for(recording, writer=self.channel_name)
            write = await hot_audio.write(incoming.recording_id, **arguments)
        return write

    async def _receive_for(self, answer: Answer) -> None:
        """From now on binary frames belong to this answer's recording; say where to go on."""
        recording = answer.current_recording
        offset = await recordings.open_for(recording, writer=self.channel_name)
        self.incoming = Incoming(str(answer.id), recording.id, recording.limit_bytes)
        await self._stop_listening()
        if answer.status == AnswerStatus.RECORDING:
            self.listener = self._new_listener(answer, offset)
        await self._send(
            {
                "type": "resume",
                "answer": str(answer.id),
                "recording": str(recording.id),
                "offset": offset,
                "limit_bytes": recording.limit_bytes,
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
            ask_for_partial=ask,
            turn_settings=turn_settings(answer.session.interview),
            offset=offset,
        )

    async def _noticed(self, event: Heard) -> None:
        await self._tell_heard(listening.message(event))

    async def _tell_heard(self, message: dict) -> None:
        """What was heard, with the answer it belongs to."""
        if self.incoming is not None:
            await self._send({"answer": self.incoming.answer_id, **message})

    async def _stop_listening(self) -> None:
        if self.listener is not None:
            listener, self.listener = self.listener, None
            await listener.close()

    # --- Commands ---------------------------------------------------------------------------------

    async def _command(self, text: str) -> None:
        message = _parse(text)
        command = message["type"]
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
        await self.channel_layer.group_add(events.group_name(session_id), self.channel_name)
        if time.monotonic() - self.seen_at > SEEN_EVERY_S:
            self.seen_at = time.monotonic()
            await in_thread(sessions.mark_seen)(session_id=session_id)
        await self._send({"type": "pong"})

    async def _complete(self, message: dict) -> None:
        action, fields = COMPLETING_COMMANDS[message["type"]]
        values = {argument: _field(message, *field) for argument, field in fields.items()}
        await self._stop_listening()  # first, so that no caption is asked for beside the final transcript
        await self._answer_to(action, message, **values)

    async def _select(self, answer: Answer) -> None:
        recording = answer.recording
        if recording is None or recording.status not in (Recording.Status.OPEN, Recording.Status.SEALED):
            raise WrongState("answer has no recording that waits for audio.")
        await self._receive_for(answer)

    async def _act(self, action: Callable[..., None]) -> None:
        """Call an action on the session."""

        def call() -> None:
            action(session=self._session_row(), by=self.invitation, now=timezone.now())

        await in_thread(call)()

    async def _answer_to(self, action: Callable[..., None], message: dict, **values: object) -> Answer:
        """Call an action on the answer that the message names; return the answer."""
        answer_id = _field(message, "answer", str)

        def call() -> Answer:
            answer = self._answer_row(answer_id)
            action(answer=answer, by=self.invitation, now=timezone.now(), **values)
            return answer

        return await in_thread(call)()

    async def _answer(self, message: dict) -> Answer:
        return await in_thread(self._answer_row)(_field(message, "answer", str))

    # --- Rows (called in threads) -----------------------------------------------------------------

    @in_thread
    def _find(self, token: str) -> tuple[Invitation, UUID]:
        invitation = links.find(token, now=timezone.now(), is_finished_welcome=True)
        session = links.session_of(invitation)
        if session is None:
            raise links.LinkProblem("unknown", invitation)  # consent comes first
        sessions.mark_seen(session_id=session.pk)
        return invitation, session.pk

    @in_thread
    def _snapshot(self) -> dict:
        return snapshots.snapshot(self._session_row())

    def _session_id(self) -> UUID:
        assert self.session_id is not None, "messages are taken only after the link was found"
        return self.session_id

    def _session_row(self) -> Session:
        return Session.objects.select_related("invitation__interview").get(pk=self._session_id())

    def _answer_row(self, answer_id: str) -> Answer:
        rows = Answer.objects.select_related("session__invitation__interview", "recording")
        try:
            answer = rows.filter(session_id=self._session_id(), pk=UUID(answer_id)).first()
        except ValueError:
            answer = None
        if answer is None:
            raise NotYours("answer: this interview has none with that id.")
        return answer

    # --- From the channel layer -------------------------------------------------------------------

    async def session_event(self, message: dict) -> None:
        await self._send(message["event"])

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

    async def _end_for_other(self) -> None:
        self.incoming = None
        await self._send({"type": "taken_over"})
        await self.close(CLOSE_TAKEN_OVER)

    async def _send(self, message: dict) -> None:
        await self.send(text_data=json.dumps(message))

    async def _send_error(self, code: str, detail: str, **extra: object) -> None:
        await self._send({"type": "error", "code": code, "detail": detail, **extra})


class _Refused(ActionRefused):
    """A refusal with a code of its own."""

    def __init__(self, code: str, detail: str, **extra: object) -> None:
        super().__init__(detail, **extra)
        self.code = code


def _parse(text: str) -> dict:
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadMessage("text messages are JSON objects; audio goes in binary ones.") from error
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise BadMessage("a message is a JSON object with a text field 'type'.")
    return message


def _field(message: dict, name: str, kind: type, default: Any = None) -> Any:
    value: Any = message.get(name, default)
    if not isinstance(value, kind) or isinstance(value, bool) or (isinstance(value, int) and value < 0):
        raise BadMessage(f"{message['type']} needs {name!r} as {kind.__name__}.")
    return value
