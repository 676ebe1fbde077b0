"""ElevenLabs: voices over a WebSocket, Scribe for recognition.

Source: ElevenLabs, API reference, "Stream input" (WSS /v1/text-to-speech/{voice_id}/stream-input), "Create
transcript" (POST /v1/speech-to-text) and "List voices" (GET /v1/voices).
"""

from __future__ import annotations

import base64
import json
import math
import threading
import time
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import quote, urlencode

from voice.engines.cloud.account import CloudAccount
from voice.engines.cloud.connection import Connection, malformed, number, reading, refused, string
from voice.engines.cloud.languages import iso_code
from voice.engines.cloud.recognition import CloudRecognition, Heard, flac_of, sentences_of, word_of
from voice.engines.cloud.synthesis import CloudSynthesis, vendor_name
from voice.engines.cloud.websocket import check_websockets, conversation, send_all
from voice.errors import AudioRejected, EngineUnavailable, SynthesisFailed, VoiceError
from voice.text.languages import hyphenated, primary_language
from voice.types import Samples, Voice, Word

BASE_URL: Final = "https://api.elevenlabs.io"
VOICES_FRESH_S: Final = 600.0
VOICES_RETRY_S: Final = 60.0
LISTING_S: Final = 5.0  # people wait for the list


def _keyed(account: CloudAccount) -> Connection:
    return Connection(account, account.base_url or BASE_URL, {"xi-api-key": account.api_key})


class ElevenLabsRecognition(CloudRecognition):
    name = "elevenlabs"

    def __init__(self, account: CloudAccount, **options: Any) -> None:
        super().__init__(account, model="scribe_v2", **options)

    def _connected(self) -> Connection:
        return _keyed(self._account)

    def _vendor_language(self, language: str) -> str:
        return iso_code(language)

    def _hear(self, samples: Samples, *, language: str | None, hot_words: str, is_partial: bool) -> Heard:
        fields = {
            "model_id": self.model,
            "timestamps_granularity": "word",
            "tag_audio_events": "false",
        }
        if language:
            fields["language_code"] = language
        answer = self._connection.json(
            "POST",
            "/v1/speech-to-text",
            refusal=AudioRejected,
            data=fields,
            files={"file": ("speech.flac", flac_of(samples), "audio/flac")},
        )
        with reading(self._account):
            words = [_word(word) for word in answer["words"] if word["type"] == "word"]
            heard_in = language or iso_code(string(answer["language_code"]))
            probability = 1.0 if language else number(answer["language_probability"])
            return Heard(tuple(sentences_of(words)), heard_in, probability)


def _word(word: Any) -> Word:
    confidence = math.exp(min(0.0, number(word.get("logprob", -0.1))))
    return word_of(string(word["text"]), number(word["start"]), number(word["end"]), confidence)


class ElevenLabsSynthesis(CloudSynthesis):
    """Each passage is one WebSocket conversation: text in, base64 PCM out as it is synthesised.

    The voices are those of the account unless ELEVENLABS_VOICES names some ("<voice id>@en"). They are
    fetched when first listed, then every ten minutes.
    """

    name = "elevenlabs"
    longest_text = 5000
    default_voices = ()

    def __init__(self, account: CloudAccount) -> None:
        super().__init__(account, model="eleven_flash_v2_5")
        self._listed: tuple[Voice, ...] = ()
        self._listed_until = 0.0
        self._failure: VoiceError | None = None  # of the last listing
        self._listing = threading.Lock()

    def load(self) -> None:
        """See `CloudSynthesis.load`."""
        super().load()
        check_websockets(self.name)

    def voices(self) -> tuple[Voice, ...]:
        """Return the configured voices, else the account's, or the last known ones if ElevenLabs fails."""
        if self._account.voices or not self._account.api_key:
            return super().voices()
        with self._listing:
            if time.monotonic() >= self._listed_until:
                self._list()
            return self._listed

    def _known_voices(self) -> tuple[Voice, ...]:
        voices = self.voices()
        if not voices and self._failure is not None:
            raise type(self._failure)(str(self._failure))
        return voices

    def _list(self) -> None:
        seconds = min(LISTING_S, self._account.timeout_s)
        try:
            answer = self._connection.json("GET", "/v1/voices", refusal=EngineUnavailable, timeout=seconds)
            with reading(self._account):
                self._listed = tuple(
                    voice for described in answer["voices"] for voice in self._described(described)
                )
        except VoiceError as error:
            self._failure, self._listed_until = error, time.monotonic() + VOICES_RETRY_S
            return
        self._failure, self._listed_until = None, time.monotonic() + VOICES_FRESH_S

    def _described(self, described: Any) -> Iterator[Voice]:
        """Yield one voice for each language it is verified in, its own first."""
        voice_id, name = string(described["voice_id"]), string(described["name"])
        labels = described.get("labels") or {}
        verified = described.get("verified_languages") or ()
        tags = [string(labels.get("language") or "en")]
        tags += [string(entry.get("locale") or entry["language"]) for entry in verified]
        for tag in dict.fromkeys(tags[1:] or tags):
            yield Voice(
                f"{self.name}:{voice_id}@{tag}", hyphenated(tag), name, self.name, "cloud", self.rate_hz
            )

    def _connected(self) -> Connection:
        return _keyed(self._account)

    def _pcm(self, passage: str, voice: Voice, *, speed: float, emotion: str) -> Iterator[bytes]:
        headers = {"xi-api-key": self._account.api_key}
        address = self._address(voice)
        with conversation(self._account, address, headers=headers, refusal=SynthesisFailed) as socket:
            texts = (" ", f"{passage} ", "")  # opens, speaks, ends
            send_all(socket, (json.dumps({"text": text}) for text in texts))
            while True:
                message = self._message(socket.recv(timeout=self._account.timeout_s))
                if message.get("audio"):
                    with reading(self._account):
                        yielded = base64.b64decode(message["audio"], validate=True)
                    yield yielded
                if message.get("isFinal"):
                    return

    def _address(self, voice: Voice) -> str:
        query = {"model_id": self.model, "output_format": f"pcm_{self.rate_hz}", "auto_mode": "true"}
        if self.model.endswith("_v2_5"):  # other models refuse the parameter
            query["language_code"] = primary_language(voice.language)
        base_url = (self._account.base_url or BASE_URL).rstrip("/").replace("http", "ws", 1)
        voice_id = quote(vendor_name(voice), safe="")
        return f"{base_url}/v1/text-to-speech/{voice_id}/stream-input?{urlencode(query)}"

    def _message(self, frame: str | bytes) -> dict[str, Any]:
        with reading(self._account):
            message = json.loads(frame)
        if not isinstance(message, dict):
            raise malformed(self._account)
        if "error" in message:  # its message may quote the text
            raise refused(self._account, _status(message), SynthesisFailed)
        return message


def _status(message: dict[str, Any]) -> int:
    """Return the HTTP status that corresponds to an error message."""
    kind = str(message["error"])
    if kind in ("invalid_api_key", "quota_exceeded", "missing_permissions", "needs_authorization"):
        return 403
    if kind in ("max_character_limit_exceeded", "text_too_long", "value_error", "invalid_text"):
        return 422
    return 503 if kind in ("rate_limit_exceeded", "system_busy", "internal_server_error") else 404
