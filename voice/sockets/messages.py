"""The text messages of the voice sockets: parse and check them, and describe errors."""

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
"""Encoding a larger message takes longer than a change of thread."""
PIECE_BYTES = 3 * 64 * 1024
"""A multiple of three, so that the pieces in base64 join to the whole."""


class BadMessage(VoiceError):
    """Not a message of the protocol."""

    code = "bad_message"


class UnknownType(VoiceError):
    """This socket has no messages of this type."""

    code = "unknown_type"
    field = "type"


def parse(text: str) -> Message:
    """Return the message in `text`.

    Raises:
        BadMessage: not a JSON object with a `type`.
    """
    try:
        return json_messages.parse(text)
    except json_messages.NotAMessage as error:
        clause = str(error)
        raise BadMessage(clause[0].upper() + clause[1:]) from None


async def encoded(message: Message) -> str:
    """Return the message as JSON; bytes fields become base64. A large message is encoded in a thread."""
    if sum(len(value) for value in message.values() if isinstance(value, AUDIO)) > LARGE_BYTES:
        return await asyncio.to_thread(_encoded, message)
    return _encoded(message)


def _encoded(message: Message) -> str:
    """Encode in pieces, because other threads must wait while one is encoded."""
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
    """Return the client's name of its request, to be sent back unchanged; None if it has none.

    Raises:
        RequestRefused: neither a short string nor a number.
    """
    value = message.get(name)
    is_known = value is None or isinstance(value, str) or is_whole_number(value)
    if not is_known or len(str(value)) > MAX_ID_CHARS:
        raise RequestRefused(name, f"send a whole number or a string of at most {MAX_ID_CHARS} characters.")
    return value


def names(message: Mapping[str, Any]) -> Message:
    """Return the fields that identify a client's request, to be sent back with an error."""
    found = {}
    for name in ("id", "request_id"):
        with contextlib.suppress(RequestRefused):
            if (value := identifier(message, name)) is not None:
                found[name] = value
    return found


def boolean(message: Mapping[str, Any], name: str, default: bool) -> bool:
    """Return a field that is true or false.

    Raises:
        RequestRefused: it is neither.
    """
    value = message.get(name, default)
    if not isinstance(value, bool):
        raise RequestRefused(name, "send true or false.")
    return value


def whole_number(message: Mapping[str, Any], name: str, default: int, least: int, most: int) -> int:
    """Return a field that is a whole number.

    Raises:
        RequestRefused: not a whole number, or out of range.
    """
    value = message.get(name, default)
    if not is_whole_number(value) or not least <= value <= most:
        raise RequestRefused(name, f"send a whole number from {least} to {most}.")
    return value


def speech_request(message: Mapping[str, Any], *, file_format: Any) -> SpeechRequest:
    """Return the request for speech in a message.

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
    """Return the bytes of a field.

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
    """Return the fields of the `error` message for an error; None if it is a defect of ours.

    names: this socket's names of fields that differ from the service's names.
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
