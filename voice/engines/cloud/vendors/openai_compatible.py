"""OpenAI's audio API, and every server compatible with it (OPENAI_BASE_URL), this service included.

Source: OpenAI, API reference, "Create transcription" and "Create speech".
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, ClassVar

from voice.engines.cloud.account import CloudAccount
from voice.engines.cloud.connection import Connection, number, reading, string
from voice.engines.cloud.languages import iso_code
from voice.engines.cloud.recognition import CloudRecognition, Heard, flac_of, segment_of, word_of
from voice.engines.cloud.synthesis import CloudSynthesis, vendor_name
from voice.errors import AudioRejected, SynthesisFailed
from voice.types import RECOGNITION_RATE_HZ, Samples, Segment, Voice, Word

# One voice for each language of the platform's interface, and a selection in English: each speaks every
# language.
LANGUAGES = ("de-DE", "es-ES", "fr-FR", "it-IT", "nl-NL", "pl-PL", "pt-BR")
VOICES = tuple(
    f"{name}@en-US" for name in ("alloy", "ash", "coral", "echo", "fable", "nova", "onyx", "sage", "shimmer")
)


def bearer(account: CloudAccount, base_url: str) -> Connection:
    return Connection(account, account.base_url or base_url, {"Authorization": f"Bearer {account.api_key}"})


class OpenAIRecognition(CloudRecognition):
    """POST /audio/transcriptions.

    Models named gpt-* give neither times nor probabilities of words: their text is one segment a window, its
    probability from the tokens.
    """

    name = "openai"
    base_url: ClassVar[str] = "https://api.openai.com/v1"
    default_model: ClassVar[str] = "whisper-1"

    def __init__(self, account: CloudAccount, **options: Any) -> None:
        super().__init__(account, model=self.default_model, **options)

    def _connected(self) -> Connection:
        return bearer(self._account, self.base_url)

    def _vendor_language(self, language: str) -> str:
        return iso_code(language)

    def _hear(self, samples: Samples, *, language: str | None, hot_words: str, is_partial: bool) -> Heard:
        is_whisper = not self.model.startswith("gpt-")
        fields: dict[str, Any] = {
            "model": self.model,
            "response_format": "verbose_json" if is_whisper else "json",
        }
        if language:
            fields["language"] = language
        if hot_words:
            fields["prompt"] = hot_words
        if is_whisper:
            fields["timestamp_granularities[]"] = ["segment"] if is_partial else ["word", "segment"]
        else:
            fields["include[]"] = ["logprobs"]
        answer = self._connection.json(
            "POST",
            "/audio/transcriptions",
            refusal=AudioRejected,
            data=fields,
            files={"file": ("speech.flac", flac_of(samples), "audio/flac")},
        )
        with reading(self._account):
            if is_whisper:
                return _verbose(answer, language)
            return _plain(answer, language, duration_s=len(samples) / RECOGNITION_RATE_HZ)


def _verbose(answer: Any, language: str | None) -> Heard:
    words = [
        (string(word["word"]), number(word["start"]), number(word["end"]))
        for word in answer.get("words") or ()
    ]
    heard_in = language or iso_code(string(answer["language"]))
    parts = list(answer["segments"])
    segments = []
    for i, part in enumerate(parts):
        ends_s = number(part["end"]) if i + 1 < len(parts) else math.inf
        mine = [word for word in words if (word[1] + word[2]) / 2 <= ends_s]
        words = words[len(mine) :]
        segments.append(_segment(part, mine))
    # The API gives no probability of the language; the model chose the likeliest of a hundred.
    return Heard(tuple(segments), heard_in, 1.0 if language else 0.5)


def _segment(part: Any, words: list[tuple[str, float, float]]) -> Segment:
    logprob = number(part["avg_logprob"])
    confidence = math.exp(min(0.0, logprob))  # of the segment: the API gives none for a word
    timed: list[Word] = [word_of(text, start_s, end_s, confidence) for text, start_s, end_s in words]
    return segment_of(
        string(part["text"]),
        timed,
        start_s=number(part["start"]),
        end_s=number(part["end"]),
        avg_logprob=logprob,
        no_speech_prob=number(part["no_speech_prob"]),
    )


def _plain(answer: Any, language: str | None, *, duration_s: float) -> Heard:
    logprobs = [number(token["logprob"]) for token in answer.get("logprobs") or ()]
    segment = segment_of(
        string(answer["text"]),
        (),
        start_s=0.0,
        end_s=duration_s,
        avg_logprob=sum(logprobs) / len(logprobs) if logprobs else -0.7,  # unknown: an even chance
    )
    return Heard((segment,), language or "", 1.0 if language else 0.0)


class OpenAISynthesis(CloudSynthesis):
    """POST /audio/speech, streamed as PCM of 24 000 Hz.

    The newer models ignore the parameter `speed`, so the pace is changed here.
    """

    name = "openai"
    longest_text = 4096
    default_voices = VOICES + tuple(f"nova@{tag}" for tag in LANGUAGES)
    base_url: ClassVar[str] = "https://api.openai.com/v1"
    default_model: ClassVar[str] = "gpt-4o-mini-tts"

    def __init__(self, account: CloudAccount) -> None:
        super().__init__(account, model=self.default_model)

    def _connected(self) -> Connection:
        return bearer(self._account, self.base_url)

    def _pcm(self, passage: str, voice: Voice, *, speed: float, emotion: str) -> Iterator[bytes]:
        request = {
            "model": self.model,
            "input": passage,
            "voice": vendor_name(voice),
            "response_format": "pcm",
        }
        if emotion and not self.model.startswith("tts-1"):  # they take no instructions
            request["instructions"] = f"Speak in a {emotion} tone."
        return self._connection.audio("/audio/speech", refusal=SynthesisFailed, json=request)
