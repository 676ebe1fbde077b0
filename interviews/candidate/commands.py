"""Commands of the candidate's page, and checks of their fields."""

import json
from collections.abc import Callable
from typing import Any

from interviews.actions import answers, sessions
from interviews.actions.errors import ActionRefused

SESSION_COMMANDS = {"devices_checked": sessions.check_devices, "skip_practice": sessions.skip_practice}
ANSWER_COMMANDS = {"ask": answers.ask, "accept_answer": answers.accept}
RECORDING_COMMANDS = {"begin_answer": answers.begin, "retake": answers.retake}
"""The reply is `resume`; after it, binary frames belong to the new recording."""
COMPLETING_COMMANDS: dict[str, tuple[Callable[..., None], dict[str, tuple[str, type, Any]]]] = {
    "finish_answer": (answers.finish, {"byte_count": ("bytes", int, None)}),
    "type_answer": (answers.type_answer, {"text": ("text", str, None), "byte_count": ("bytes", int, 0)}),
}
"""The action, and for each argument the message's field, its type and its default."""


class BadMessage(ActionRefused):
    """The message does not follow the protocol."""

    code = "bad_message"


class UnknownCommand(ActionRefused):
    """The server does not know this type of message."""

    code = "unknown_command"


class StillWaiting(ActionRefused):
    """The candidate is in the waiting room and cannot send commands yet."""

    code = "waiting"


def parse(text: str) -> dict:
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadMessage("text messages are JSON objects; audio goes in binary ones.") from error
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise BadMessage("a message is a JSON object with a text field 'type'.")
    return message


def field(message: dict, name: str, kind: type, default: Any = None) -> Any:
    value: Any = message.get(name, default)
    if not isinstance(value, kind) or isinstance(value, bool) or (isinstance(value, int) and value < 0):
        raise BadMessage(f"{message['type']} needs {name!r} as {kind.__name__}.")
    return value
