"""Azure AI Speech: fast transcription, and neural voices through SSML.

AZURE_REGION names the region of the resource; AZURE_BASE_URL, the resource's own address, overrides it.

Source: Microsoft, "Fast transcription API" (2024-11-15) and "Text to speech REST API".
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

from voice.engines.cloud.account import CloudAccount
from voice.engines.cloud.connection import Connection, number, reading, string
from voice.engines.cloud.languages import locale_in, locale_of_voice
from voice.engines.cloud.recognition import CloudRecognition, Heard, flac_of, segment_of, word_of
from voice.engines.cloud.synthesis import CloudSynthesis, vendor_name
from voice.errors import AudioRejected, EngineUnavailable, SynthesisFailed
from voice.text.languages import primary_language
from voice.types import Samples, Segment, Voice

# Source: Microsoft, "Language and voice support", fast transcription; the first stands for the bare language.
_LOCALES: Final = """
    en-US en-GB en-AU en-CA en-IE en-IN en-NZ en-ZA de-DE de-AT de-CH es-ES es-MX es-US fr-FR fr-CA fr-CH
    it-IT pt-BR pt-PT nl-NL nl-BE pl-PL ja-JP ko-KR zh-CN zh-HK zh-TW hi-IN ar-EG ar-SA bg-BG ca-ES cs-CZ
    da-DK el-GR et-EE fi-FI he-IL hr-HR hu-HU id-ID lt-LT lv-LV ms-MY nb-NO ro-RO ru-RU sk-SK sl-SI sv-SE
    th-TH tr-TR uk-UA vi-VN
"""
LOCALES: Final = _LOCALES.split()
USER_AGENT: Final = "interview-platform"


class _AzureConnection(Connection):
    """Both services use the key the same way; without an address it is built from the region."""

    def __init__(self, account: CloudAccount, regional_url: str) -> None:
        headers = {"Ocp-Apim-Subscription-Key": account.api_key, "User-Agent": USER_AGENT}
        base_url = account.base_url or regional_url.format(region=account.region)
        super().__init__(account, base_url, headers)

    def open(self) -> None:
        self._account.check()
        if not (self._account.base_url or self._account.region.isalnum()):
            raise EngineUnavailable("AZURE_REGION is not set; set it to the region of your Speech resource.")
        super().open()


class AzureRecognition(CloudRecognition):
    """Transcripts of phrases; Azure gives one confidence a phrase, and its words share it."""

    name = "azure"

    def __init__(self, account: CloudAccount, **options: Any) -> None:
        super().__init__(account, model="fast-transcription", **options)

    def _connected(self) -> Connection:
        return _AzureConnection(self._account, "https://{region}.api.cognitive.microsoft.com")

    def _vendor_language(self, language: str) -> str:
        return locale_in(LOCALES, language)

    def _hear(self, samples: Samples, *, language: str | None, hot_words: str, is_partial: bool) -> Heard:
        # Without locales Azure's multilingual model detects the language itself.
        definition: dict[str, Any] = {"profanityFilterMode": "None"} | (
            {"locales": [language]} if language else {}
        )
        answer = self._connection.json(
            "POST",
            "/speechtotext/transcriptions:transcribe",
            refusal=AudioRejected,
            params={"api-version": "2024-11-15"},
            files={
                "audio": ("speech.flac", flac_of(samples), "audio/flac"),
                "definition": (None, json.dumps(definition), "application/json"),
            },
        )
        with reading(self._account):
            phrases = list(answer["phrases"])
            heard_in = language or (string(phrases[0]["locale"]) if phrases else "")
            return Heard(
                tuple(_segment(phrase) for phrase in phrases),
                primary_language(heard_in),
                1.0 if language else min((number(phrase["confidence"]) for phrase in phrases), default=0.0),
            )


def _segment(phrase: Any) -> Segment:
    confidence = number(phrase["confidence"])
    return segment_of(
        string(phrase["text"]),
        [word_of(string(word["text"]), *_span_s(word), confidence) for word in phrase.get("words") or ()],
        start_s=_span_s(phrase)[0],
        end_s=_span_s(phrase)[1],
        avg_logprob=math.log(max(confidence, 1e-6)),
    )


def _span_s(part: Any) -> tuple[float, float]:
    start_s = number(part["offsetMilliseconds"]) / 1000
    return start_s, start_s + number(part["durationMilliseconds"]) / 1000


_VOICES: Final = """
    en-US-JennyNeural en-US-GuyNeural en-US-AriaNeural en-GB-SoniaNeural en-GB-RyanNeural
    de-DE-KatjaNeural de-DE-ConradNeural es-ES-ElviraNeural fr-FR-DeniseNeural it-IT-ElsaNeural
    nl-NL-ColetteNeural pl-PL-ZofiaNeural pt-BR-FranciscaNeural ja-JP-NanamiNeural zh-CN-XiaoxiaoNeural
"""


class AzureSynthesis(CloudSynthesis):
    """SSML in, PCM of 24 000 Hz out, streamed. An emotion becomes a style; voices without it ignore it."""

    name = "azure"
    longest_text = 3000  # the limit is ten minutes of speech
    has_speed = True
    default_voices = tuple(_VOICES.split())

    def __init__(self, account: CloudAccount) -> None:
        super().__init__(account, model="neural")

    def _connected(self) -> Connection:
        return _AzureConnection(self._account, "https://{region}.tts.speech.microsoft.com")

    def _language_in(self, name: str) -> str:
        return locale_of_voice(name)

    def _pcm(self, passage: str, voice: Voice, *, speed: float, emotion: str) -> Iterator[bytes]:
        prefix = "/tts" if self._account.base_url else ""  # on a resource's own address
        return self._connection.audio(
            f"{prefix}/cognitiveservices/v1",
            refusal=SynthesisFailed,
            content=ssml(passage, voice, speed=speed, emotion=emotion).encode(),
            headers={
                "Content-Type": "application/ssml+xml",
                "X-Microsoft-OutputFormat": "raw-24khz-16bit-mono-pcm",
            },
        )


def ssml(text: str, voice: Voice, *, speed: float, emotion: str) -> str:
    """Return a document in which `text` is only text, whatever it contains.

    Source: Microsoft, "Speech synthesis markup": prosody rate 0.5..2 multiplies the pace.
    """
    spoken = f'<prosody rate="{speed:.2f}">{escape(text)}</prosody>'
    if emotion:
        spoken = f"<mstts:express-as style={quoteattr(emotion)}>{spoken}</mstts:express-as>"
    return (
        '<speak version="1.0" xmlns="http://www.w3.org/2001/10/synthesis" '
        f'xmlns:mstts="https://www.w3.org/2001/mstts" xml:lang={quoteattr(voice.language)}>'
        f"<voice name={quoteattr(vendor_name(voice))}>{spoken}</voice></speak>"
    )
