"""AWS.  Source: Amazon Polly, SynthesizeSpeech; Amazon Transcribe, WebSocket stream; Signature Version 4."""

from __future__ import annotations

import hashlib
import hmac
import json
import struct
import zlib
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from botocore.eventstream import EventStreamBuffer
from websockets.sync.server import ServerConnection

from tests.vendors.server import (
    KEY,
    SENTENCE,
    Answer,
    Request,
    VendorServer,
    expect,
    heard_in_samples,
    hum,
    only,
)
from tests.vendors.sockets import VendorSocket
from voice.audio.pcm import samples_from_s16le

SECRET = "secret-test-0123456789"
REGION = "eu-central-1"


class PollyVendor(VendorServer):
    def answer(self, request: Request) -> Answer:
        expect((request.method, request.path) == ("POST", "/v1/speech"), "POST /v1/speech")
        signed = request.headers["authorization"]
        expect(signed.startswith(f"AWS4-HMAC-SHA256 Credential={KEY}/"), "a signature with the key")
        expect(f"/{REGION}/polly/aws4_request" in signed, "a signature for Polly in the region")
        asked = request.json()
        known = {"Engine", "OutputFormat", "SampleRate", "Text", "TextType", "VoiceId"}
        expect(set(asked) == known, f"exactly {known}")
        expect(asked["Engine"] in ("standard", "neural", "long-form", "generative"), "an engine")
        expect((asked["OutputFormat"], asked["SampleRate"]) == ("pcm", "16000"), "PCM of 16 000 Hz")
        expect(asked["TextType"] == "text" and 0 < len(asked["Text"]) <= 3000, "3000 characters at most")
        expect(asked["VoiceId"].isalpha(), "a voice")
        headers = {"x-amzn-RequestCharacters": str(len(asked["Text"]))}
        return Answer(hum(asked["Text"], rate_hz=16_000), "audio/pcm", headers)


class TranscribeVendor(VendorSocket):
    def check(self, request: Any) -> None:
        parts = urlsplit(request.path)
        expect(parts.path == "/stream-transcription-websocket", "the WebSocket's path")
        pairs = parse_qsl(parts.query, keep_blank_values=True)
        signing = [
            f"X-Amz-{name}" for name in ("Algorithm", "Credential", "Date", "Expires", "SignedHeaders")
        ]
        query = only(
            pairs,
            *signing,
            "X-Amz-Signature",
            "language-code",
            "identify-language",
            "language-options",
            "media-encoding",
            "sample-rate",
        )
        expect((query["media-encoding"], query["sample-rate"]) == ("pcm", "16000"), "PCM of 16 000 Hz")
        expect(("language-code" in query) != (query.get("identify-language") == "true"), "a language or none")
        if "language-options" in query:
            expect(len(query["language-options"].split(",")) >= 2, "two languages at least")
        expect(int(query["X-Amz-Expires"]) <= 300, "five minutes at most")
        expect(query["X-Amz-Signature"] == _signature(query, pairs, request.headers["host"]), "the signature")
        self._language = query.get("language-code")

    def converse(self, connection: ServerConnection) -> None:
        pcm, language = bytearray(), self._language
        while True:
            payload = _audio(connection.recv(timeout=60))
            if not payload:
                break
            pcm += payload
            if len(pcm) == len(payload):  # the first result is an early guess
                connection.send(event(_transcript(pcm, language, is_partial=True)))
        connection.send(event(_transcript(pcm, language, is_partial=False)))
        connection.close()


def _audio(frame: Any) -> bytes:
    frames = EventStreamBuffer()
    frames.add_data(frame)
    (message,) = frames
    expect(message.headers[":message-type"] == "event", ":message-type event")
    expect(message.headers[":event-type"] == "AudioEvent", ":event-type AudioEvent")
    expect(message.headers[":content-type"] == "application/octet-stream", ":content-type")
    expect(len(message.payload) <= 6400, "chunks of 200 ms at most")
    return message.payload


def _transcript(pcm: bytearray, language: str | None, *, is_partial: bool) -> dict[str, Any]:
    words, duration_s = heard_in_samples(samples_from_s16le(pcm)) if not is_partial else ([], 0.1)
    items: list[dict[str, Any]] = [
        {
            "Content": word.text.strip("."),
            "StartTime": word.start_s,
            "EndTime": word.end_s,
            "Type": "pronunciation",
            "Confidence": 0.96,
            "VocabularyFilterMatch": False,
        }
        for word in words
    ]
    if items:
        items.append({"Content": ".", "StartTime": duration_s, "EndTime": duration_s, "Type": "punctuation"})
    result: dict[str, Any] = {
        "Alternatives": [{"Transcript": SENTENCE if items else "I", "Items": items}],
        "ResultId": "c1",
        "IsPartial": is_partial,
        "StartTime": 0.0,
        "EndTime": duration_s,
    }
    if language is None:
        result |= {
            "LanguageCode": "en-US",
            "LanguageIdentification": [{"LanguageCode": "en-US", "Score": 0.97}],
        }
    return {"Transcript": {"Results": [result]}}


def event(value: Any, kind: str = "TranscriptEvent", message_type: str = "event") -> bytes:
    """Source: Amazon Transcribe, Developer Guide, "Event stream encoding"."""
    payload = json.dumps(value).encode()
    name = ":event-type" if message_type == "event" else ":exception-type"
    headers = b""
    for key, text in ((name, kind), (":content-type", "application/json"), (":message-type", message_type)):
        headers += (
            struct.pack("!B", len(key)) + key.encode() + struct.pack("!BH", 7, len(text)) + text.encode()
        )
    prelude = struct.pack("!II", len(headers) + len(payload) + 16, len(headers))
    body = prelude + struct.pack("!I", zlib.crc32(prelude)) + headers + payload
    return body + struct.pack("!I", zlib.crc32(body))


def _signature(query: dict[str, str], pairs: list[tuple[str, str]], host: str) -> str:
    """Source: AWS, "Signature Version 4 signing process", computed here without botocore."""
    expect(query["X-Amz-Algorithm"] == "AWS4-HMAC-SHA256", "the algorithm")
    expect(query["X-Amz-SignedHeaders"] == "host", "the signed header")
    key, date, *scope = query["X-Amz-Credential"].split("/")
    expect(key == KEY and scope == [REGION, "transcribe", "aws4_request"], "the scope")
    canonical_query = "&".join(
        f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}"
        for name, value in sorted(pairs)
        if name != "X-Amz-Signature"
    )
    empty = hashlib.sha256(b"").hexdigest()
    canonical = "\n".join(
        ("GET", "/stream-transcription-websocket", canonical_query, f"host:{host}", "", "host", empty)
    )
    to_sign = "\n".join(
        (
            "AWS4-HMAC-SHA256",
            query["X-Amz-Date"],
            "/".join([date, *scope]),
            hashlib.sha256(canonical.encode()).hexdigest(),
        )
    )
    signing_key = f"AWS4{SECRET}".encode()
    for part in (date, *scope):
        signing_key = hmac.digest(signing_key, part.encode(), "sha256")
    return hmac.new(signing_key, to_sign.encode(), "sha256").hexdigest()
