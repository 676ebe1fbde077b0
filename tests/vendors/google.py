"""Google Cloud. Source: REST reference, v1 `speech.recognize` and v1 `text.synthesize`."""

from __future__ import annotations

import base64

from tests.sounds import encode_wav
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
)

CONFIG = {
    "encoding",
    "sampleRateHertz",
    "languageCode",
    "model",
    "enableAutomaticPunctuation",
    "enableWordTimeOffsets",
    "enableWordConfidence",
    "speechContexts",
}


class GoogleVendor(VendorServer):
    def answer(self, request: Request) -> Answer:
        expect(request.method == "POST", "POST")
        expect(request.headers["x-goog-api-key"] == KEY, "X-Goog-Api-Key")
        expect(not request.query, "no key in the address")
        asked = request.json()
        if request.path == "/v1/speech:recognize":
            return self._recognition(asked)
        expect(request.path == "/v1/text:synthesize", "a known method")
        return self._speech(asked)

    def _recognition(self, asked: dict) -> Answer:
        config = asked["config"]
        expect(set(asked) == {"config", "audio"} and set(config) <= CONFIG, "a known request")
        expect((config["encoding"], config["sampleRateHertz"]) == ("FLAC", 16_000), "FLAC of 16 000 Hz")
        expect(config["enableWordTimeOffsets"] and config["enableWordConfidence"], "words")
        for context in config.get("speechContexts", []):
            expect(all(0 < len(phrase) <= 100 for phrase in context["phrases"]), "short phrases")
        words, duration_s = heard_in(base64.b64decode(asked["audio"]["content"], validate=True))
        expect(duration_s <= 60, "a minute at most")
        best = {
            "transcript": SENTENCE,
            "confidence": 0.95,
            "words": [
                {
                    "startTime": f"{word.start_s:.3f}s",
                    "endTime": f"{word.end_s:.3f}s",
                    "word": word.text,
                    "confidence": 0.95,
                }
                for word in words
            ],
        }
        result = {
            "alternatives": [best],
            "resultEndTime": f"{duration_s:.3f}s",
            "languageCode": config["languageCode"].lower(),
        }
        return as_json({"results": [result], "totalBilledTime": "15s"})

    def _speech(self, asked: dict) -> Answer:
        expect(set(asked) == {"input", "voice", "audioConfig"}, "input, voice, audioConfig")
        voice, audio = asked["voice"], asked["audioConfig"]
        expect(voice["name"].startswith(voice["languageCode"]), "a voice of the language")
        expect(audio["audioEncoding"] == "LINEAR16" and audio["sampleRateHertz"] == 24_000, "LINEAR16")
        expect(0.25 <= audio["speakingRate"] <= 2.0, "a rate of 0.25 to 2")
        text = asked["input"]["text"]
        expect(0 < len(text.encode()) <= 5000, "5000 bytes at most")
        pcm = hum(text, rate_hz=24_000, speed=audio["speakingRate"])
        wav = encode_wav(pcm, rate_hz=24_000)  # documented: LINEAR16 includes the WAV header
        return as_json({"audioContent": base64.b64encode(wav).decode()})
