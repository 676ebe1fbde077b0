"""Amazon Transcribe, streamed over its documented WebSocket.

Transcribe takes audio either from S3, which takes minutes, or as a stream. The package `amazon-transcribe` is
no longer maintained, and its successor `aws-sdk-transcribe-streaming` is experimental and needs Python 3.12.
Here boto3 signs the address and reads the frames.

Source: Amazon Transcribe, Developer Guide, "Setting up a WebSocket stream" and "Event stream encoding".
"""

from __future__ import annotations

import json
import struct
import time
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from voice.engines.cloud.account import CloudAccount
from voice.engines.cloud.connection import malformed, number, reading, refused, string, unreachable
from voice.engines.cloud.languages import locale_in
from voice.engines.cloud.recognition import CloudRecognition, Heard, segment_of, word_of
from voice.engines.cloud.vendors.aws import AwsConnection
from voice.engines.cloud.websocket import conversation, received_until
from voice.errors import AudioRejected
from voice.text.languages import primary_language
from voice.types import RECOGNITION_RATE_HZ, SAMPLE_BYTES, Samples, Segment

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

# Source: Amazon Transcribe, API reference, StartStreamTranscription, LanguageCode. The first locale of a
# language stands for the bare language.
_LOCALES: Final = """
    en-US en-GB en-AU en-AB en-IE en-IN en-NZ en-WL en-ZA es-US es-ES fr-FR fr-CA de-DE de-CH it-IT pt-BR
    pt-PT ja-JP ko-KR zh-CN zh-HK zh-TW hi-IN th-TH af-ZA ar-AE ar-SA ca-ES cs-CZ da-DK el-GR eu-ES fa-IR
    fi-FI gl-ES he-IL hr-HR id-ID lv-LV ms-MY nl-NL no-NO pl-PL ro-RO ru-RU sk-SK so-SO sr-RS sv-SE tl-PH
    uk-UA vi-VN zu-ZA
"""
LOCALES: Final = _LOCALES.split()
DETECTED: Final = "en-US,es-US,fr-FR,de-DE,it-IT,pt-BR"  # it chooses among these: one dialect a language
CHUNK_S: Final = 0.1  # Source: Developer Guide, "Streaming best practices": 50 to 200 ms
EXPIRES_S: Final = 300


class AwsRecognition(CloudRecognition):
    """Transcribe, streamed at the pace of speech: a text is ready when the recording would have ended.

    Hot words are ignored: Transcribe supports them only as vocabularies prepared in the account.
    """

    name = "aws"

    def __init__(self, account: CloudAccount, *, pace: float = 1.0, **options: Any) -> None:
        """pace: seconds of audio sent in a second; Amazon recommends 1."""
        super().__init__(account, model="transcribe", **options)
        self._pace = pace

    def _connected(self) -> Any:
        return AwsConnection(self._account)

    def _vendor_language(self, language: str) -> str:
        return locale_in(LOCALES, language)

    def _hear(self, samples: Samples, *, language: str | None, hot_words: str, is_partial: bool) -> Heard:
        from voice.audio.pcm import s16le_from_samples

        pcm = s16le_from_samples(samples)
        results: list[Any] = []
        with conversation(
            self._account, self._signed_address(language), headers={}, refusal=AudioRejected
        ) as socket:
            for frame in self._spoken(socket, pcm):
                results += _final_results(self._account, frame)
        with reading(self._account):
            heard_in = language or next(
                (string(r["LanguageCode"]) for r in results if "LanguageCode" in r), ""
            )
            segments = tuple(_segment(result) for result in results)
            return Heard(segments, primary_language(heard_in), _probability(results, language))

    def _spoken(self, socket: ClientConnection, pcm: bytes) -> Iterator[Any]:
        """Yield the frames that come while `pcm` is sent, and after it until the vendor closes."""
        from websockets.exceptions import ConnectionClosed

        is_sent = False
        try:
            yield from self._sent(socket, pcm)
            is_sent = True
        except ConnectionClosed:  # the messages before the close are still to be read: they say why it closed
            pass
        yield from received_until(socket, time.monotonic() + self._account.timeout_s)
        if not is_sent:
            raise unreachable(self._account, "closed early")

    def _sent(self, socket: ClientConnection, pcm: bytes) -> Iterator[Any]:
        """Sends `pcm` at its pace, and the end; the frames that come meanwhile."""
        size = int(CHUNK_S * RECOGNITION_RATE_HZ) * SAMPLE_BYTES
        started = time.monotonic()
        for i in range(0, len(pcm), size):
            socket.send(audio_event(pcm[i : i + size]))
            due = started + (i + size) / SAMPLE_BYTES / RECOGNITION_RATE_HZ / self._pace
            try:
                while True:  # read frames while waiting, or both ends would wait for each other
                    yield socket.recv(timeout=max(0.0, due - time.monotonic()))
            except TimeoutError:
                continue
        socket.send(audio_event(b""))

    def _signed_address(self, language: str | None) -> str:
        """Source: Developer Guide: Signature Version 4 in the query, service "transcribe"."""
        from botocore.auth import SigV4QueryAuth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials

        query = {"media-encoding": "pcm", "sample-rate": str(RECOGNITION_RATE_HZ)}
        query |= (
            {"language-code": language}
            if language
            else {"identify-language": "true", "language-options": DETECTED}
        )
        account = self._account
        base_url = account.base_url or f"https://transcribestreaming.{account.region}.amazonaws.com:8443"
        request = AWSRequest(
            "GET", f"{base_url.rstrip('/')}/stream-transcription-websocket?{urlencode(query)}"
        )
        keys = Credentials(account.api_key, account.secret_key, account.session_token or None)
        SigV4QueryAuth(keys, "transcribe", account.region, expires=EXPIRES_S).add_auth(request)
        return str(request.url).replace("http", "ws", 1)


def audio_event(pcm: bytes) -> bytes:
    """Return an AudioEvent in event stream encoding; an empty one ends the stream."""
    headers = b"".join(
        struct.pack("!B", len(name)) + name + b"\x07" + struct.pack("!H", len(value)) + value
        for name, value in (
            (b":content-type", b"application/octet-stream"),
            (b":event-type", b"AudioEvent"),
            (b":message-type", b"event"),
        )
    )
    prelude = struct.pack("!II", 16 + len(headers) + len(pcm), len(headers))
    body = prelude + struct.pack("!I", zlib.crc32(prelude)) + headers + pcm
    return body + struct.pack("!I", zlib.crc32(body))


def _final_results(account: CloudAccount, frame: Any) -> list[Any]:
    """Return the results of a frame that are final."""
    from botocore.eventstream import EventStreamBuffer, EventStreamError

    frames = EventStreamBuffer()
    try:
        frames.add_data(frame)
        message = next(iter(frames))
    except (EventStreamError, StopIteration, TypeError, ValueError):
        raise malformed(account) from None
    if message.headers.get(":message-type") == "exception":
        raise refused(account, _EXCEPTIONS.get(message.headers.get(":exception-type"), 404), AudioRejected)
    with reading(account):
        results = json.loads(message.payload)["Transcript"]["Results"]
        return [result for result in results if not result["IsPartial"]]


# Source: Amazon Transcribe, API reference, TranscriptResultStream.
_EXCEPTIONS: Final = {
    "BadRequestException": 400,
    "ConflictException": 503,
    "InternalFailureException": 500,
    "LimitExceededException": 429,
    "ServiceUnavailableException": 503,
}


def _segment(result: Any) -> Segment:
    alternative = result["Alternatives"][0]
    words = [
        word_of(
            string(item["Content"]),
            number(item["StartTime"]),
            number(item["EndTime"]),
            number(item.get("Confidence", 0.9)),
        )
        for item in alternative["Items"]
        if item["Type"] == "pronunciation"
    ]
    return segment_of(
        string(alternative["Transcript"]),
        words,
        start_s=number(result["StartTime"]),
        end_s=number(result["EndTime"]),
    )


def _probability(results: list[Any], language: str | None) -> float:
    if language:
        return 1.0
    scores = [entry["Score"] for result in results for entry in result.get("LanguageIdentification") or ()]
    return max((number(score) for score in scores), default=0.0)
