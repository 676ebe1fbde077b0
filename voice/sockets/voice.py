"""`/ws/voice`: text to speech and speech to text in JSON, audio in base64."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from django.conf import settings

from voice import metrics
from voice.audio.encoding import wav_header
from voice.callers import tenant_of
from voice.errors import Busy
from voice.service import synthesis, transcription
from voice.service.requests import SPEECH_RATE_HZ, SpeechRequest, TranscriptionRequest
from voice.sockets import messages
from voice.sockets.base import VoiceConsumer
from voice.sockets.messages import Message
from voice.text import sentiment

MAX_UNDER_WAY = 8
"""Requests of one connection that are handled at a time."""
MAX_CHARS_UNDER_WAY = 10_000
"""Of all its texts: speech is buffered until it is complete, about 4 kB a character as WAV."""
BUSY_RETRY_S = 1.0


class VoiceSocketConsumer(VoiceConsumer):
    """Answers each request when it is done; the order may change, so requests may carry an `id`."""

    socket_name = "voice"
    field_names = {"voice": "voice_id", "file": "audio", "prompt": "hot_words"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._under_way = 0
        self._chars_under_way = 0

    def handlers(self) -> Mapping[str, Callable[[Message], Awaitable[None]]]:
        return {"text": self._text, "audio": self._audio}

    async def _text(self, message: Message) -> None:
        asked_at = time.monotonic()
        request = messages.speech_request(message, file_format=message.get("format", "wav"))
        is_judged = messages.boolean(message, "sentiment", False)
        named = _named(message)
        self._check_room(len(request.text))
        await self.count_request()
        request = await synthesis.checked(request, self.caller)
        self._start(self._synthesize(request, asked_at, is_judged, named), len(request.text), named)

    async def _audio(self, message: Message) -> None:
        limit_bytes = settings.VOICE["MAX_UPLOAD_MB"] * 1024**2
        file = messages.from_base64(message, "audio", limit_bytes=limit_bytes)
        request = TranscriptionRequest.checked(
            language=message.get("language"), hot_words=message.get("hot_words")
        )
        named = _named(message)
        self._check_room(0)
        await self.count_request()
        self._start(self._transcribe(request, file, named), 0, named)

    def _check_room(self, char_count: int) -> None:
        is_full = self._under_way >= MAX_UNDER_WAY
        if is_full or (self._under_way and self._chars_under_way + char_count > MAX_CHARS_UNDER_WAY):
            metrics.REFUSED.labels(reason=Busy.code).inc()
            raise Busy(
                f"This connection has {self._under_way} requests under way; wait for one of them.",
                retry_after_s=BUSY_RETRY_S,
            )

    def _start(self, work: Any, char_count: int, named: Message) -> None:
        def ended(_task: object) -> None:
            self._under_way -= 1
            self._chars_under_way -= char_count

        self._under_way += 1
        self._chars_under_way += char_count
        self.begin(work, **named).add_done_callback(ended)

    async def _synthesize(
        self, request: SpeechRequest, asked_at: float, is_judged: bool, named: Message
    ) -> None:
        """Synthesise and answer. WAV is PCM with a header, so both share one item of the cache."""
        judged: Message = {}
        if is_judged:
            judged = await asyncio.to_thread(sentiment.tone_fields, request.text, request.language)
        is_wav = request.format == "wav"
        wanted = replace(request, format="pcm") if is_wav else request
        speech = await synthesis.synthesize(wanted, tenant=tenant_of(self.caller), is_whole=True)
        header = wav_header(SPEECH_RATE_HZ, None) if is_wav else b""
        file = bytearray(header)
        async for part in speech.parts():
            file += part.body
        if is_wav:
            file[: len(header)] = wav_header(SPEECH_RATE_HZ, len(file) - len(header))
        await self.say(
            "audio",
            audio=file,
            duration=round(speech.result["duration_ms"] / 1000, 3),
            latency_ms=round(1000 * (time.monotonic() - asked_at), 1),
            cached=speech.is_cached,
            format=request.format,
            sample_rate=SPEECH_RATE_HZ,
            voice=speech.result["voice"],
            engine=speech.result["engine"],
            **judged,
            **named,
        )

    async def _transcribe(self, request: TranscriptionRequest, file: bytes, named: Message) -> None:
        async with transcription.transcribe(request, file, self.caller) as call:
            recognition = await call.complete()
        await self.say("transcript", **recognition, **named)


def _named(message: Message) -> Message:
    """Return the request's own name, to be sent back."""
    value = messages.identifier(message, "id")
    return {} if value is None else {"id": value}
