"""Deepgram. Source: API reference, POST /v1/listen and POST /v1/speak."""

from __future__ import annotations

from tests.vendors.server import (
    DETECTED,
    KEY,
    SENTENCE,
    Answer,
    Request,
    VendorServer,
    as_json,
    bare,
    expect,
    heard_in,
    hum,
    in_pieces,
    only,
)


class DeepgramVendor(VendorServer):
    def answer(self, request: Request) -> Answer:
        expect(request.method == "POST", "POST")
        expect(request.headers["authorization"] == f"Token {KEY}", "Authorization: Token")
        if request.path == "/v1/listen":
            return self._listen(request)
        expect(request.path == "/v1/speak", "/v1/listen or /v1/speak")
        query = only(request.query, "model", "encoding", "container", "sample_rate")
        expect(query["model"].startswith("aura-2-"), "a voice")
        expect((query["encoding"], query["container"]) == ("linear16", "none"), "raw linear16")
        expect(query["sample_rate"] in ("8000", "16000", "24000", "32000", "48000"), "a rate of linear16")
        asked = request.json()
        expect(set(asked) == {"text"} and 0 < len(asked["text"]) <= 2000, "text of at most 2000 characters")
        pcm = hum(asked["text"], rate_hz=int(query["sample_rate"]))
        return Answer(in_pieces(pcm), f"audio/l16;rate={query['sample_rate']};channels=1")

    def _listen(self, request: Request) -> Answer:
        query = only(
            request.query, "model", "language", "detect_language", "smart_format", "utterances", "keyterm"
        )
        expect(query["model"] == "nova-3", "a known model")
        expect(("language" in query) != (query.get("detect_language") == "true"), "a language, or detection")
        expect(query["utterances"] == "true", "utterances, or there are no segments")
        expect(request.headers["content-type"] == "audio/flac", "Content-Type: audio/flac")
        heard, duration_s = heard_in(request.body)
        words = [
            {
                "word": bare(word.text),
                "start": word.start_s,
                "end": word.end_s,
                "confidence": 0.98,
                "punctuated_word": word.text,
            }
            for word in heard
        ]
        best = {"transcript": SENTENCE, "confidence": 0.98, "words": words}
        channel = {"alternatives": [best]}
        if "language" not in query:
            channel |= {"detected_language": DETECTED, "language_confidence": 0.99}
        utterance = best | {"start": 0.0, "end": duration_s, "channel": 0, "id": "b2a1"}
        results = {"channels": [channel], "utterances": [utterance]}
        return as_json({"metadata": {"duration": duration_s, "channels": 1}, "results": results})
