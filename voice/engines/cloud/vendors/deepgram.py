"""Deepgram: Nova transcribes, Aura synthesises.

Source: Deepgram, API reference, "Pre-recorded audio" (POST /v1/listen) and "Text to speech" (POST /v1/speak).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from voice.engines.cloud.account import CloudAccount
from voice.engines.cloud.connection import Connection, number, reading, string
from voice.engines.cloud.languages import locale_in
from voice.engines.cloud.recognition import CloudRecognition, Heard, flac_of, segment_of, word_of
from voice.engines.cloud.synthesis import CloudSynthesis, vendor_name
from voice.errors import AudioRejected, SynthesisFailed
from voice.text.languages import canonical_tag, primary_language
from voice.types import Samples, Voice

BASE_URL: Final = "https://api.deepgram.com"
# Source: Deepgram, "Nova-3 language prompting"; the first of a language stands for the bare one.
_LANGUAGES: Final = """
    en en-US en-GB en-AU en-NZ en-IN de de-CH es es-419 fr fr-CA pt pt-BR pt-PT nl nl-BE it ja hi ru af ar
    be bn bs bg ca zh zh-CN zh-TW zh-HK hr cs da et fi gl el gu he hu id kn ko lv lt mk ms mr no fa pl ro
    sr sk sl sv tl ta te th tr uk vi
"""
LANGUAGES: Final = _LANGUAGES.split()
MAX_KEYTERMS: Final = 50


def _token(account: CloudAccount) -> Connection:
    return Connection(account, account.base_url or BASE_URL, {"Authorization": f"Token {account.api_key}"})


class DeepgramRecognition(CloudRecognition):
    name = "deepgram"

    def __init__(self, account: CloudAccount, **options: Any) -> None:
        super().__init__(account, model="nova-3", **options)

    def _connected(self) -> Connection:
        return _token(self._account)

    def _vendor_language(self, language: str) -> str:
        return locale_in(LANGUAGES, language)

    def _hear(self, samples: Samples, *, language: str | None, hot_words: str, is_partial: bool) -> Heard:
        query: dict[str, Any] = {"model": self.model, "smart_format": "true", "utterances": "true"}
        query |= {"language": language} if language else {"detect_language": "true"}
        if terms := [term.strip() for term in hot_words.split(",") if term.strip()][:MAX_KEYTERMS]:
            query["keyterm" if self.model.startswith("nova-3") else "keywords"] = terms
        answer = self._connection.json(
            "POST",
            "/v1/listen",
            refusal=AudioRejected,
            params=query,
            content=flac_of(samples),
            headers={"Content-Type": "audio/flac"},
        )
        with reading(self._account):
            return _heard(answer["results"], language)


def _heard(results: Any, language: str | None) -> Heard:
    segments = tuple(
        segment_of(
            string(utterance["transcript"]),
            [
                word_of(
                    string(word.get("punctuated_word") or word["word"]),
                    number(word["start"]),
                    number(word["end"]),
                    number(word["confidence"]),
                )
                for word in utterance["words"]
            ],
            start_s=number(utterance["start"]),
            end_s=number(utterance["end"]),
        )
        for utterance in results["utterances"]
    )
    if language:
        return Heard(segments, language)
    channel = results["channels"][0]
    return Heard(
        segments,
        primary_language(string(channel["detected_language"])),
        number(channel.get("language_confidence", 0.5)),
    )


_VOICES: Final = """
    aura-2-thalia-en aura-2-andromeda-en aura-2-helena-en aura-2-apollo-en aura-2-arcas-en aura-2-aries-en
    aura-2-viktoria-de aura-2-julius-de aura-2-celeste-es aura-2-agathe-fr aura-2-livia-it aura-2-rhea-nl
    aura-2-izanami-ja
"""


class DeepgramSynthesis(CloudSynthesis):
    """A voice is a model: "aura-2-thalia-en". Only some support a speed, so the pace is changed here."""

    name = "deepgram"
    longest_text = 2000
    default_voices = tuple(_VOICES.split())

    def __init__(self, account: CloudAccount) -> None:
        super().__init__(account, model="aura-2")

    def _connected(self) -> Connection:
        return _token(self._account)

    def _language_in(self, name: str) -> str:
        return canonical_tag(name).rpartition("-")[2]

    def _pcm(self, passage: str, voice: Voice, *, speed: float, emotion: str) -> Iterator[bytes]:
        query = {
            "model": vendor_name(voice),
            "encoding": "linear16",
            "container": "none",
            "sample_rate": str(self.rate_hz),
        }
        return self._connection.audio(
            "/v1/speak", refusal=SynthesisFailed, params=query, json={"text": passage}
        )
