"""Azure AI Speech. Source: "Fast transcription API" 2024-11-15, "Text to speech REST API", SSML 1.0."""

from __future__ import annotations

import json
from xml.etree import ElementTree

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
)

SPEECH = "{http://www.w3.org/2001/10/synthesis}"
EXPRESSION = "{https://www.w3.org/2001/mstts}"


class AzureVendor(VendorServer):
    spoken: str = ""

    def answer(self, request: Request) -> Answer:
        expect(request.method == "POST", "POST")
        expect(request.headers["ocp-apim-subscription-key"] == KEY, "Ocp-Apim-Subscription-Key")
        if request.path == "/speechtotext/transcriptions:transcribe":
            return self._transcription(request)
        expect(request.path == "/tts/cognitiveservices/v1", "a path of the resource")
        return self._speech(request)

    def _transcription(self, request: Request) -> Answer:
        expect(request.query == [("api-version", "2024-11-15")], "api-version")
        form = request.form()
        expect(set(form) == {"audio", "definition"}, "audio and definition")
        definition = json.loads(form["definition"][0].content)
        expect(set(definition) <= {"locales", "profanityFilterMode"}, "a known definition")
        locales = definition.get("locales", [])
        expect(all(len(locale) == 5 and locale[2] == "-" for locale in locales), "locales as en-US")
        words, duration_s = heard_in(form["audio"][0].content)
        phrase = {
            "offsetMilliseconds": 0,
            "durationMilliseconds": int(duration_s * 1000),
            "text": SENTENCE,
            "words": [
                {
                    "text": word.text,
                    "offsetMilliseconds": int(word.start_s * 1000),
                    "durationMilliseconds": int((word.end_s - word.start_s) * 1000),
                }
                for word in words
            ],
            "locale": locales[0] if locales else "en-US",
            "confidence": 0.93,
        }
        return as_json(
            {
                "durationMilliseconds": int(duration_s * 1000),
                "combinedPhrases": [{"text": SENTENCE}],
                "phrases": [phrase],
            }
        )

    def _speech(self, request: Request) -> Answer:
        expect(
            request.headers["content-type"] == "application/ssml+xml", "Content-Type: application/ssml+xml"
        )
        expect(request.headers["x-microsoft-outputformat"] == "raw-24khz-16bit-mono-pcm", "an output format")
        expect(request.headers["user-agent"], "a User-Agent")
        root = ElementTree.fromstring(request.body)
        expect(root.tag == f"{SPEECH}speak" and root.get("version") == "1.0", "speak 1.0")
        (voice,) = root
        expect(voice.tag == f"{SPEECH}voice" and voice.get("name", "").endswith("Neural"), "a voice")
        (inner,) = voice
        if inner.tag == f"{EXPRESSION}express-as":
            expect(inner.get("style"), "a style")
            (inner,) = inner
        expect(inner.tag == f"{SPEECH}prosody" and len(inner) == 0, "text without markup in one prosody")
        rate = float(inner.get("rate", ""))
        expect(0.5 <= rate <= 2, "a rate of 0.5 to 2")
        self.spoken = inner.text or ""
        return Answer(in_pieces(hum(self.spoken, rate_hz=24_000, speed=rate)), "audio/basic")
