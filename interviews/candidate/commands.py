"""The commands of the candidate's page. `COMMANDS` maps each to the action that it runs."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from interviews.actions import answers, sessions
from interviews.actions.errors import ActionRefused, WrongState
from interviews.candidate.answer_stream import AnswerStream
from interviews.candidate.session import CandidateSession
from interviews.models import Observation
from voice.infra import json_messages, tracing
from voice.infra.json_messages import Message, is_whole_number
from voice.models import Recording

Action = Callable[..., None]
Command = Callable[[Message, CandidateSession, AnswerStream], Awaitable[None]]
Field = tuple[str, type, Any]
"""A field's name in the message, its type, and its value where it is missing."""


class BadMessage(ActionRefused):
    """The message does not follow the protocol."""

    code = "bad_message"


class UnknownCommand(ActionRefused):
    """The server does not know this type of message."""

    code = "unknown_command"


class StillWaiting(ActionRefused):
    """The candidate is in the waiting room and cannot send commands yet."""

    code = "waiting"


def parse(text: str) -> Message:
    """Return the message in `text`. Raises BadMessage if it is not a JSON object with a `type`."""
    try:
        return json_messages.parse(text)
    except json_messages.NotAMessage as error:
        raise BadMessage(str(error)) from error


def field(message: Message, name: str, kind: type, default: Any = None) -> Any:
    """Return the value of a field. Raises BadMessage if it has another type or is a negative number."""
    value: Any = message.get(name, default)
    is_right = is_whole_number(value) and value >= 0 if kind is int else isinstance(value, kind)
    if not is_right:
        raise BadMessage(f"{message['type']} needs {name!r} as {kind.__name__}.")
    return value


async def run(message: Message, session: CandidateSession, stream: AnswerStream) -> None:
    """Run the command of the message.

    Raises:
        ActionRefused: nothing was changed. The page is sent its code and detail.
    """
    command = COMMANDS.get(message["type"])
    if command is None:
        raise UnknownCommand(f"{message['type'][:40]!r} is not a command.")
    span = tracing.span(f"command {message['type']}", "SERVER", refusal=ActionRefused)
    with stream.in_trace_of(message.get("answer")), span:
        await command(message, session, stream)


def _on_session(action: Action) -> Command:
    async def command(message: Message, session: CandidateSession, stream: AnswerStream) -> None:
        await session.act(action)

    return command


def _on_answer(action: Action) -> Command:
    async def command(message: Message, session: CandidateSession, stream: AnswerStream) -> None:
        await session.act_on_answer(action, _answer_id(message))

    return command


def _begin_recording(action: Action) -> Command:
    """The page is answered with `resume`. Binary frames belong to the new recording from then on."""

    async def command(message: Message, session: CandidateSession, stream: AnswerStream) -> None:
        await stream.begin(await session.act_on_answer(action, _answer_id(message)))

    return command


def _complete(action: Action, **fields: Field) -> Command:
    """fields: the field of the message for each argument of the action."""

    async def command(message: Message, session: CandidateSession, stream: AnswerStream) -> None:
        values = {argument: field(message, *expected) for argument, expected in fields.items()}
        await stream.stop_listening()  # first, so that no caption is recognised beside the final transcript
        await session.act_on_answer(action, _answer_id(message), **values)

    return command


async def _finish(message: Message, session: CandidateSession, stream: AnswerStream) -> None:
    byte_count = field(message, "bytes", int)
    is_at_limit = stream.is_full(byte_count)
    has_speech = await stream.has_speech(_answer_id(message)) if is_at_limit else None
    await stream.stop_listening()
    await session.act_on_answer(
        answers.finish, _answer_id(message), byte_count=byte_count, has_speech=has_speech
    )


async def _write(message: Message, session: CandidateSession, stream: AnswerStream) -> None:
    session.clock.write(_answer_id(message))


async def _hear(message: Message, session: CandidateSession, stream: AnswerStream) -> None:
    await stream.leave_hearing_to_page(_answer_id(message))


async def _select(message: Message, session: CandidateSession, stream: AnswerStream) -> None:
    answer = await session.answer(_answer_id(message))
    recording = answer.recording
    if recording is None or recording.status not in (Recording.Status.OPEN, Recording.Status.SEALED):
        raise WrongState("answer has no recording that waits for audio.")
    await stream.begin(answer)


def _notice(kind: Observation.Kind) -> Command:
    async def command(message: Message, session: CandidateSession, stream: AnswerStream) -> None:
        await session.notice(kind)

    return command


async def _pasted(message: Message, session: CandidateSession, stream: AnswerStream) -> None:
    await session.notice(Observation.Kind.PASTED, characters=field(message, "characters", int))


async def _page_back(message: Message, session: CandidateSession, stream: AnswerStream) -> None:
    await session.come_back()


def _answer_id(message: Message) -> str:
    return field(message, "answer", str)


COMMANDS: Mapping[str, Command] = {
    "devices_checked": _on_session(sessions.check_devices),
    "skip_practice": _on_session(sessions.skip_practice),
    "ask": _on_answer(answers.ask),
    "hear_again": _on_answer(answers.hear_again),
    "begin_answer": _begin_recording(answers.begin),
    "retake": _begin_recording(answers.retake),
    "select": _select,
    "finish_answer": _finish,
    "writing": _write,
    "hearing": _hear,
    "type_answer": _complete(answers.type_answer, text=("text", str, None), byte_count=("bytes", int, 0)),
    "accept_answer": _on_answer(answers.accept),
    "page_left": _notice(Observation.Kind.LEFT_PAGE),
    "page_back": _page_back,
    "pasted": _pasted,
    "second_screen": _notice(Observation.Kind.SECOND_SCREEN),
}
"""All commands except `ping`, which the consumer answers."""
