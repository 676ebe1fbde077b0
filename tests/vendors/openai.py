"""OpenAI's audio API.  Source: OpenAI, API reference, "Create transcription", "Create speech"."""

from __future__ import annotations

from typing import Any

from tests.sounds import encode_wav
from tests.vendors.server import (
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
)

VOICES = {"alloy", "ash", "coral", "echo", "fable", "nova", "onyx", "sage", "shimmer", "autumn", "diana"}
FIELDS = {
    "file",
    "model",
    "language",
    "prompt",
    "response_format",
    "temperature",
    "timestamp_granularities[]",
    "include[]",
}


class OpenAIVendor(VendorServer):
    prefix = ""
    stt_models = frozenset({"whisper-1", "gpt-4o-transcribe"})
    tts_models = frozenset({"gpt-4o-mini-tts", "tts-1"})
    formats = frozenset({"pcm", "wav"})
    longest_text = 4096

    def answer(self, request: Request) -> Answer:
        expect(request.method == "POST", "POST")
        expect(request.headers["authorization"] == f"Bearer {KEY}", "Authorization: Bearer")
        if request.path == f"{self.prefix}/audio/transcriptions":
            return self._transcription(request)
        expect(request.path == f"{self.prefix}/audio/speech", "a path of the audio API")
        return self._speech(request)

    def _transcription(self, request: Request) -> Answer:
        form = request.form()
        expect(set(form) <= FIELDS, f"only {FIELDS}")
        file = form["file"][0]
        expect(file.filename == "speech.flac", "a file name that tells the format")
        values = {name: parts[0].content.decode() for name, parts in form.items() if name != "file"}
        expect(values["model"] in self.stt_models, "a known model")
        language = values.get("language")
        expect(language is None or (len(language) == 2 and language.islower()), "ISO 639-1")
        words, duration_s = heard_in(file.content)
        if values["response_format"] == "json":
            expect(values["include[]"] == "logprobs", "include[] logprobs")
            return as_json({"text": SENTENCE, "logprobs": [{"token": "I", "logprob": -0.1, "bytes": [73]}]})
        expect(values["response_format"] == "verbose_json", "verbose_json")
        expect(values["model"] == "whisper-1" or self.prefix, "verbose_json of whisper-1 only")
        answer: dict[str, Any] = {
            "task": "transcribe",
            "language": "english",
            "duration": duration_s,
            "text": SENTENCE,
            "segments": [
                {
                    "id": 0,
                    "seek": 0,
                    "start": 0.0,
                    "end": duration_s,
                    "text": f" {SENTENCE}",
                    "tokens": [50364, 286],
                    "temperature": 0.0,
                    "avg_logprob": -0.25,
                    "compression_ratio": 0.9,
                    "no_speech_prob": 0.02,
                }
            ],
        }
        if b"word" in [part.content for part in form["timestamp_granularities[]"]]:
            answer["words"] = [
                {"word": bare(word.text), "start": word.start_s, "end": word.end_s} for word in words
            ]
        return as_json(answer)

    def _speech(self, request: Request) -> Answer:
        asked = request.json()
        known = {"model", "input", "voice", "response_format", "speed", "instructions", "stream_format"}
        expect(set(asked) <= known, f"only {known}")
        expect(asked["model"] in self.tts_models, "a known model")
        expect(asked["voice"] in VOICES, "a known voice")
        expect(0 < len(asked["input"]) <= self.longest_text, "input within the limit")
        expect(asked["response_format"] in self.formats, f"one of {self.formats}")
        pcm = hum(asked["input"], rate_hz=24_000)
        if asked["response_format"] == "wav":
            return Answer(encode_wav(pcm, rate_hz=24_000), "audio/wav")
        return Answer(in_pieces(pcm), "audio/pcm")
