"""Google Cloud: Speech-to-Text v1 and Text-to-Speech v1 over REST, with an API key.

Version 1 takes a minute of audio a request and does not detect languages.

Source: Google Cloud, REST reference, `speech.recognize` and `text.synthesize`.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any, Final

from voice.engines.cloud.account import CloudAccount
from voice.engines.cloud.connection import Connection, number, reading, string
from voice.engines.cloud.languages import locale_in, locale_of_voice
from voice.engines.cloud.recognition import CloudRecognition, Heard, flac_of, segment_of, word_of
from voice.engines.cloud.synthesis import CloudSynthesis, vendor_name
from voice.errors import AudioRejected, SynthesisFailed
from voice.types import RECOGNITION_RATE_HZ, Samples, Segment, Voice

# Source: Google Cloud, "Speech-to-Text supported languages"; the first stands for the bare language.
_LOCALES: Final = """
    en-US en-GB en-AU en-CA en-IE en-IN en-NZ en-ZA de-DE de-AT de-CH es-ES es-MX es-US fr-FR fr-BE fr-CA
    fr-CH it-IT pt-BR pt-PT nl-NL nl-BE pl-PL ja-JP ko-KR zh-CN zh-TW hi-IN ar-EG ar-SA bg-BG ca-ES cs-CZ
    da-DK el-GR et-EE fi-FI he-IL hr-HR hu-HU id-ID lt-LT lv-LV ms-MY no-NO ro-RO ru-RU sk-SK sl-SI sv-SE
    th-TH tr-TR uk-UA vi-VN
"""
LOCALES: Final = _LOCALES.split()
MAX_PHRASES: Final = 100


def _keyed(account: CloudAccount, base_url: str) -> Connection:
    # In a header, because addresses end up in logs.
    return Connection(account, account.base_url or base_url, {"X-Goog-Api-Key": account.api_key})


class GoogleRecognition(CloudRecognition):
    name = "google"
    longest_s = 55.0  # the limit is 60
    detects_language = False

    def __init__(self, account: CloudAccount, **options: Any) -> None:
        super().__init__(account, model="latest_long", **options)

    def _connected(self) -> Connection:
        return _keyed(self._account, "https://speech.googleapis.com")

    def _vendor_language(self, language: str) -> str:
        return locale_in(LOCALES, language)

    def _hear(self, samples: Samples, *, language: str | None, hot_words: str, is_partial: bool) -> Heard:
        config: dict[str, Any] = {
            "encoding": "FLAC",
            "sampleRateHertz": RECOGNITION_RATE_HZ,
            "languageCode": language,
            "model": self.model,
            "enableAutomaticPunctuation": True,
            "enableWordTimeOffsets": True,
            "enableWordConfidence": True,
        }
        if phrases := [phrase.strip() for phrase in hot_words.split(",") if phrase.strip()][:MAX_PHRASES]:
            config["speechContexts"] = [{"phrases": [phrase[:100] for phrase in phrases]}]
        audio = {"content": base64.b64encode(flac_of(samples)).decode()}
        answer = self._connection.json(
            "POST", "/v1/speech:recognize", refusal=AudioRejected, json={"config": config, "audio": audio}
        )
        with reading(self._account):  # without speech there are no results at all
            results = [result["alternatives"][0] for result in answer.get("results", ())]
            return Heard(tuple(map(_segment, results)), language or "")


def _segment(alternative: Any) -> Segment:
    confidence = number(alternative.get("confidence") or 0.5)  # Google omits a zero, which means unknown
    words = [
        word_of(
            string(word["word"]),
            _seconds(word.get("startTime", "0s")),
            _seconds(word.get("endTime", "0s")),
            number(word.get("confidence") or confidence),
        )
        for word in alternative.get("words", ())
    ]
    return segment_of(string(alternative.get("transcript", "")), words)


def _seconds(duration: Any) -> float:
    """Return 1.3 for "1.300s". Source: Protocol Buffers, JSON mapping of Duration."""
    text = string(duration)
    if not text.endswith("s"):
        raise ValueError("no duration")
    return number(text[:-1])


class GoogleSynthesis(CloudSynthesis):
    """The audio of a passage comes whole, as base64 in JSON; short passages bring the first one soon."""

    name = "google"
    longest_text = 400  # the limit is 5 000 bytes
    has_speed = True
    default_voices = tuple(
        f"{tag}-Chirp3-HD-{name}"
        for tag in ("en-US", "en-GB", "de-DE", "es-ES", "fr-FR", "it-IT", "nl-NL", "pl-PL", "pt-BR", "ja-JP")
        for name in ("Aoede", "Puck")
    )

    def __init__(self, account: CloudAccount) -> None:
        super().__init__(account, model="text-to-speech")

    def _connected(self) -> Connection:
        return _keyed(self._account, "https://texttospeech.googleapis.com")

    def _language_in(self, name: str) -> str:
        return locale_of_voice(name)

    def _pcm(self, passage: str, voice: Voice, *, speed: float, emotion: str) -> Iterator[bytes]:
        answer = self._connection.json(
            "POST",
            "/v1/text:synthesize",
            refusal=SynthesisFailed,
            json={
                "input": {"text": passage},
                "voice": {"languageCode": voice.language, "name": vendor_name(voice)},
                "audioConfig": {
                    "audioEncoding": "LINEAR16",
                    "sampleRateHertz": self.rate_hz,
                    "speakingRate": speed,
                },
            },
        )
        with reading(self._account):
            wav = base64.b64decode(answer["audioContent"], validate=True)
        yield self._pcm_of_wav(wav)
