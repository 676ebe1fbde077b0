"""The text messages of the voice sockets: parsed, checked, and errors put into words."""

import asyncio
import base64
import binascii
import contextlib
import json
from collections.abc import Mapping
from typing import Any

import redis
from django.conf import settings

from voice.errors import Busy, RequestRefused, Unreachable, VoiceError
from voice.infra import json_messages
from voice.infra.json_messages import Message, is_whole_number
from voice.service.requests import SpeechRequest

MAX_ID_CHARS = 100
AUDIO = (bytes, bytearray)
LARGE_BYTES = 64 * 1024
"""What takes longer to encode than a change of thread."""
PIECE_BYTES = 3 * 64 * 1024
"""A multiple of three: pieces in base64 make the whole."""


class BadMessage(VoiceError):
    """Not a message of the protocol."""

    code = "bad_message"


class UnknownType(VoiceError):
    """A message of a type that this socket does not take."""

    code = "unknown_type"
    field = "type"


def parse(text: str) -> Message:
    """The message in `text`.

    Raises:
        BadMessage: no JSON object with a `type`.
    """
    try:
        return json_messages.parse(text)
    except json_messages.NotAMessage as error:
        clause = str(error)
        raise BadMessage(clause[0].upper() + clause[1:]) from None


async def encoded(message: Message) -> str:
    """The message as JSON; bytes among its fields become base64. A large one is encoded in a thread."""
    if sum(len(value) for value in message.values() if isinstance(value, AUDIO)) > LARGE_BYTES:
        return await asyncio.to_thread(_encoded, message)
    return _encoded(message)


def _encoded(message: Message) -> str:
    """In pieces, because other threads have to wait as long as one is being made."""
    audio = {name: value for name, value in message.items() if isinstance(value, AUDIO)}
    text = [json.dumps({name: value for name, value in message.items() if name not in audio})[:-1]]
    for name, value in audio.items():  # base64 needs no escapes
        text.append(f', "{name}": "')
        text += (
            base64.b64encode(value[at : at + PIECE_BYTES]).decode()
            for at in range(0, len(value), PIECE_BYTES)
        )
        text.append('"')
    return "".join([*text, "}"])


def identifier(message: Mapping[str, Any], name: str) -> str | int | None:
    """What the client calls its request, to be given back as it came; None where it has no name.

    Raises:
        RequestRefused: neither a short string nor a number.
    """
    value = message.get(name)
    is_known = value is None or isinstance(value, str) or is_whole_number(value)
    if not is_known or len(str(value)) > MAX_ID_CHARS:
        raise RequestRefused(name, f"send a whole number or a string of at most {MAX_ID_CHARS} characters.")
    return value


def names(message: Mapping[str, Any]) -> Message:
    """The fields by which a client knows its request again, to be sent back with an error."""
    found = {}
    for name in ("id", "request_id"):
        with contextlib.suppress(RequestRefused):
            if (value := identifier(message, name)) is not None:
                found[name] = value
    return found


def boolean(message: Mapping[str, Any], name: str, default: bool) -> bool:
    """A field that is true or false.

    Raises:
        RequestRefused: it is neither.
    """
    value = message.get(name, default)
    if not isinstance(value, bool):
        raise RequestRefused(name, "send true or false.")
    return value


def whole_number(message: Mapping[str, Any], name: str, default: int, least: int, most: int) -> int:
    """A field that is a whole number.

    Raises:
        RequestRefused: it is none, or out of range.
    """
    value = message.get(name, default)
    if not is_whole_number(value) or not least <= value <= most:
        raise RequestRefused(name, f"send a whole number from {least} to {most}.")
    return value


def speech_request(message: Mapping[str, Any], *, file_format: Any) -> SpeechRequest:
    """What a message asks to be spoken.

    Raises:
        RequestRefused: see `SpeechRequest.checked`.
    """
    return SpeechRequest.checked(
        text=message.get("text"),
        voice=message.get("voice_id"),
        language=message.get("language"),
        speed=message.get("speed", 1.0),
        emotion=message.get("emotion"),
        format=file_format,
        max_chars=settings.VOICE["MAX_TEXT_CHARS"],
    )


def from_base64(message: Mapping[str, Any], name: str, *, limit_bytes: int) -> bytes:
    """The bytes of a field.

    Raises:
        RequestRefused: missing, not base64, empty or too long.
    """
    value = message.get(name)
    if not isinstance(value, str) or not value:
        raise RequestRefused(name, "send audio as a base64 string.")
    if len(value) * 3 // 4 > limit_bytes + 2:  # before it is copied
        raise RequestRefused(name, f"send at most {limit_bytes} bytes of audio.", code="too_large")
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise RequestRefused(name, "this is not base64.") from None


def error_fields(error: Exception, names: Mapping[str, str] | None = None) -> Message | None:
    """The fields of the `error` message for what went wrong; None if that is a defect of ours.

    names: what this socket calls fields that the service calls otherwise.
    """
    if isinstance(error, redis.RedisError):
        error = Unreachable()
    if not isinstance(error, VoiceError):
        return None
    fields: Message = {"code": error.code, "detail": str(error)}
    if field := getattr(error, "field", ""):
        name = (names or {}).get(field, field)
        fields |= {"field": name, "detail": str(error).replace(f"{field}: ", f"{name}: ", 1)}
    if isinstance(error, Busy):
        fields["retry_after_s"] = error.retry_after_s
    return fields
