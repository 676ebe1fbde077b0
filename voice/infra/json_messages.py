"""Text messages of all our sockets: JSON objects with a `type`."""

import json
from typing import Any, TypeGuard

Message = dict[str, Any]


class NotAMessage(ValueError):
    """The text is not a message. The error says what a message is."""


def parse(text: str) -> Message:
    """Return the message in `text`.

    Raises:
        NotAMessage: the text is not a JSON object with a `type`.
    """
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        raise NotAMessage("text messages are JSON objects; audio goes in binary ones.") from None
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise NotAMessage("a message is a JSON object with a text field 'type'.")
    return message


def is_whole_number(value: Any) -> TypeGuard[int]:
    """Whether a field's value is a whole number. Unlike in Python, true and false are not."""
    return isinstance(value, int) and not isinstance(value, bool)
