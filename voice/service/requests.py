"""The parameters of requests to the speech service, checked before any work is done.

    request = SpeechRequest.checked(text="Good morning.", voice="piper:en_US-lessac-medium", format="mp3")

Every refusal is a `RequestRefused` that names the field and the limit. Voices and engines are checked
elsewhere (`voice.service.synthesis`, `voice.service.transcription`).
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from voice.audio.processing import LOUDNESS_RANGE_DBFS
from voice.errors import RequestRefused
from voice.text.languages import hyphenated, is_tag
from voice.text.normalisation import normalise
from voice.text.reading import without_markdown

FORMATS: Final = {
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "flac": "audio/flac",
    "aac": "audio/aac",
    "pcm": "audio/pcm",
}
"""Media types of synthesised audio by format. `pcm` is s16le, mono, without a header."""
SPEECH_RATE_HZ: Final = 24_000
"""Of all synthesised speech, whichever engine made it."""
MIN_RATE_HZ, MAX_RATE_HZ = 8_000, 48_000
LOUDNESS_DBFS: Final = -20.0
MIN_SPEED, MAX_SPEED = 0.25, 4.0
MAX_HOT_WORDS_CHARS: Final = 1000
MAX_EMOTION_CHARS: Final = 40
MAX_VOICE_CHARS: Final = 200
MAX_LANGUAGE_CHARS: Final = 16


@dataclass(frozen=True, slots=True)
class SpeechRequest:
    """Text to speak. `voice` is an id of the voices list, or empty for the language's own."""

    text: str
    voice: str = ""
    language: str = ""
    speed: float = 1.0
    emotion: str = ""
    format: str = "pcm"

    @classmethod
    def checked(
        cls,
        *,
        text: Any,
        voice: Any = "",
        language: Any = "",
        speed: Any = 1.0,
        emotion: Any = "",
        format: Any = "pcm",  # noqa: A002  the field's name
        max_chars: int = 5000,
    ) -> SpeechRequest:
        """Return a request with normalised text, without the signs of Markdown.

        Raises:
            RequestRefused: a value of another type, out of its range, or nothing to say.
        """
        return cls(
            text=_spoken_text(_string("text", text), max_chars),
            voice=_name("voice", voice, MAX_VOICE_CHARS),
            language=_language(_string("language", language)),
            speed=_number("speed", speed, MIN_SPEED, MAX_SPEED),
            emotion=_short("emotion", emotion, MAX_EMOTION_CHARS),
            format=_choice("format", format, FORMATS),
        )


@dataclass(frozen=True, slots=True)
class TranscriptionRequest:
    """Audio to transcribe. With an empty language it is detected."""

    language: str = ""
    hot_words: str = ""
    is_partial: bool = False
    is_diarized: bool = False
    is_translated: bool = False
    """Into English."""

    @classmethod
    def checked(
        cls,
        *,
        language: Any = "",
        hot_words: Any = "",
        is_partial: bool = False,
        is_diarized: bool = False,
        is_translated: bool = False,
    ) -> TranscriptionRequest:
        """Return a request with valid values.

        Raises:
            RequestRefused: a value of another type or too long.
        """
        return cls(
            language=_language(_string("language", language)),
            hot_words=_short("prompt", hot_words, MAX_HOT_WORDS_CHARS),
            is_partial=is_partial,
            is_diarized=is_diarized,
            is_translated=is_translated,
        )


@dataclass(frozen=True, slots=True)
class ConversionRequest:
    """The target of a conversion: mono audio in `format` at `sample_rate`."""

    format: str = "mp3"
    sample_rate: int = SPEECH_RATE_HZ
    loudness_dbfs: float | None = LOUDNESS_DBFS
    """Of the speech in it; None leaves the level as it is."""
    is_compressed: bool = False
    is_trimmed: bool = False

    @classmethod
    def checked(
        cls,
        *,
        format: Any = "mp3",  # noqa: A002  the field's name
        sample_rate: Any = SPEECH_RATE_HZ,
        loudness: Any = LOUDNESS_DBFS,
        compress: bool = False,
        trim: bool = False,
    ) -> ConversionRequest:
        """Return a request with valid values.

        Raises:
            RequestRefused: a value out of its range.
        """
        return cls(
            format=_choice("format", format, FORMATS),
            sample_rate=int(_number("sample_rate", sample_rate, MIN_RATE_HZ, MAX_RATE_HZ)),
            loudness_dbfs=None if loudness is None else _number("loudness", loudness, *LOUDNESS_RANGE_DBFS),
            is_compressed=compress,
            is_trimmed=trim,
        )


def _spoken_text(text: str, max_chars: int) -> str:
    if len(text) > max_chars:  # before any work is done on it
        raise RequestRefused("text", f"{len(text)} characters are too many; send at most {max_chars}.")
    spoken = normalise(without_markdown(text))
    if not any(character.isalnum() for character in spoken):
        raise RequestRefused("text", "there is nothing to say; send at least one word.")
    return spoken


def _language(language: str) -> str:
    if language and not (len(language) <= MAX_LANGUAGE_CHARS and is_tag(language)):
        detail = f"send a language code such as en or de-DE, at most {MAX_LANGUAGE_CHARS} characters."
        raise RequestRefused("language", detail)
    return hyphenated(language)


def _string(field: str, value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise RequestRefused(field, "send a string.")
    return value


def _name(field: str, value: Any, max_chars: int) -> str:
    name = _string(field, value)
    if len(name) > max_chars or not name.isprintable():
        raise RequestRefused(field, f"send at most {max_chars} printable characters.")
    return name


def _short(field: str, value: Any, max_chars: int) -> str:
    string = normalise(_string(field, value)[: max_chars + 1])
    if len(string) > max_chars:
        raise RequestRefused(field, f"send at most {max_chars} characters.")
    return string


def _number(field: str, value: Any, least: float, most: float) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not is_number or not least <= value <= most:
        raise RequestRefused(field, f"send a number from {least:g} to {most:g}.")
    return float(value)


def _choice(field: str, value: Any, choices: Collection[str]) -> str:
    if not isinstance(value, str) or value not in choices:
        raise RequestRefused(field, f"send one of {', '.join(choices)}.")
    return value
