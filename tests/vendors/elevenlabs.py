"""ElevenLabs. Source: API reference, "Stream input", "Create transcript", "List voices"."""

from __future__ import annotations

import base64
import json
import math
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from websockets.http11 import Response
from websockets.sync.server import ServerConnection

from tests.vendors.server import (
    KEY,
    SENTENCE,
    Answer,
    Request,
    VendorServer,
    as_json,
    expect,
    heard_in,
    hum,
    in_pieces,
    only,
)
from tests.vendors.sockets import VendorSocket, response

VOICES = [
    {
        "voice_id": "21m00Tcm4TlvDq8ikWAM",
        "name": "Rachel",
        "category": "premade",
        "labels": {"accent": "american", "gender": "female"},
        "verified_languages": [
            {"language": "en", "model_id": "eleven_flash_v2_5", "accent": "american", "locale": "en-US"},
            {"language": "de", "model_id": "eleven_flash_v2_5", "accent": "standard", "locale": "de-DE"},
        ],
    },
    {"voice_id": "AZnzlk1XvdvUeBnXmlld", "name": "Domi", "labels": {}, "verified_languages": None},
]


class ElevenLabsVendor(VendorServer):
    """Recognition."""

    def answer(self, request: Request) -> Answer:
        expect((request.method, request.path) == ("POST", "/v1/speech-to-text"), "POST /v1/speech-to-text")
        expect(request.headers["xi-api-key"] == KEY, "xi-api-key")
        form = request.form()
        known = {"file", "model_id", "language_code", "timestamps_granularity", "tag_audio_events"}
        expect(set(form) <= known, f"only {known}")
        values = {name: parts[0].content.decode() for name, parts in form.items() if name != "file"}
        expect(values["model_id"] in ("scribe_v1", "scribe_v2"), "a known model")
        expect(values["timestamps_granularity"] == "word", "times of words")
        heard, _ = heard_in(form["file"][0].content)
        words: list[dict[str, Any]] = []
        for word in heard:
            if words:
                words.append({"text": " ", "start": word.start_s, "end": word.start_s, "type": "spacing"})
            words.append(
                {
                    "text": word.text,
                    "start": word.start_s,
                    "end": word.end_s,
                    "type": "word",
                    "logprob": math.log(0.97),
                }
            )
        return as_json(
            {
                "language_code": "deu" if values.get("language_code") == "de" else "eng",
                "language_probability": 0.98,
                "text": SENTENCE,
                "words": words,
            }
        )


class ElevenLabsSocket(VendorSocket):
    """Synthesis, and the list of voices at the same address."""

    def check(self, request: Any) -> Response | None:
        expect(request.headers["xi-api-key"] == KEY, "xi-api-key")
        parts = urlsplit(request.path)
        if parts.path == "/v1/voices":
            return response(200, json.dumps({"voices": VOICES}).encode(), "application/json")
        ids = {voice["voice_id"] for voice in VOICES}
        expect(
            parts.path in {f"/v1/text-to-speech/{voice_id}/stream-input" for voice_id in ids},
            "a voice's path",
        )
        query = only(parse_qsl(parts.query), "model_id", "output_format", "auto_mode", "language_code")
        expect(query["model_id"].startswith("eleven_"), "a model")
        expect("language_code" not in query or query["model_id"].endswith("_v2_5"), "a language only to v2.5")
        expect(len(query.get("language_code", "en")) == 2, "ISO 639-1")
        expect(query["output_format"] == "pcm_24000", "PCM")
        expect(query["auto_mode"] == "true", "auto_mode, for whole sentences")
        return None

    def converse(self, connection: ServerConnection) -> None:
        first = json.loads(connection.recv(timeout=60))
        expect(first["text"] == " ", "a space that opens the conversation")
        text = ""
        while True:
            message = json.loads(connection.recv(timeout=60))
            if message["text"] == "":
                break
            expect(message["text"].endswith(" "), "text that ends with a space")
            text += message["text"]
        for piece in in_pieces(hum(text.strip(), rate_hz=24_000), 8001):
            sound = base64.b64encode(piece).decode()
            connection.send(json.dumps({"audio": sound, "isFinal": None, "alignment": None}))
        connection.send(json.dumps({"audio": None, "isFinal": True}))
        connection.close()
