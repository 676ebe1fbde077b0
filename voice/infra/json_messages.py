"""The text messages of every socket of ours: JSON objects with a `type`."""

import json
from typing import Any, TypeGuard

Message = dict[str, Any]


class NotAMessage(ValueError):
    """The text is no such message; the error says in a clause what one is."""


def parse(text: str) -> Message:
    """The message in `text`.

    Raises:
        NotAMessage: no JSON object with a `type`.
    """
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        raise NotAMessage("text messages are JSON objects; audio goes in binary ones.") from None
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise NotAMessage("a message is a JSON object with a text field 'type'.")
    return message


def is_whole_number(value: Any) -> TypeGuard[int]:
    """Whether a field's value is a whole number. In Python true and false are such numbers, too; here not."""
    return isinstance(value, int) and not isinstance(value, bool)
