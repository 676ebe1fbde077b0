"""`/ws/tts`: text in, PCM out as it is synthesised."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from voice import metrics
from voice.audio.pcm import SAMPLE_BYTES, samples_from_s16le
from voice.callers import owner_of, tenant_of
from voice.errors import Busy, RequestRefused
from voice.infra.threads import in_thread
from voice.queues.calls import Part
from voice.service import synthesis
from voice.service.requests import SPEECH_RATE_HZ, SpeechRequest
from voice.sockets import messages
from voice.sockets.base import VoiceConsumer
from voice.sockets.messages import Message

MAX_WAITING = 4
"""Texts that may wait while one is synthesised."""
BUSY_RETRY_S = 1.0
CHUNK_SAMPLES = 4800
MIN_CHUNK_SAMPLES, MAX_CHUNK_SAMPLES = 240, 240_000
MAX_REFERENCE_BYTES = 5 * 1024**2


@dataclass(slots=True)
class Wanted:
    """A text to synthesise on this connection."""

    request: SpeechRequest
    request_id: str | int | None
    is_streaming: bool
    chunk_samples: int
    asked_at: float
    is_cancelled: bool = False
    reading: asyncio.Task[Part | None] | None = None
    """The wait for its next part."""

    def cancel(self) -> None:
        """Wait for no further part of it."""
        self.is_cancelled = True
        if self.reading:
            self.reading.cancel()

    @property
    def named(self) -> Message:
        """The fields that identify it in messages."""
        return {} if self.request_id is None else {"request_id": self.request_id}


class TtsConsumer(VoiceConsumer):
    """Synthesises one text after the other."""

    socket_name = "tts"
    field_names = {"voice": "voice_id", "has_consent": "consent"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._waiting: deque[Wanted] = deque()
        self._spoken: Wanted | None = None

    def handlers(self) -> Mapping[str, Callable[[Message], Awaitable[None]]]:
        return {
            "synthesize": self._synthesize,
            "cancel": self._cancel,
            "register_voice": self._register,
            "list_voices": self._list,
            "erase_voice": self._erase,
        }

    async def _synthesize(self, message: Message) -> None:
        asked_at = time.monotonic()
        request = messages.speech_request(message, file_format="pcm")
        wanted = Wanted(
            request,
            messages.identifier(message, "request_id"),
            messages.boolean(message, "streaming", True),
            messages.whole_number(message, "chunk_size", CHUNK_SAMPLES, MIN_CHUNK_SAMPLES, MAX_CHUNK_SAMPLES),
            asked_at,
        )
        if len(self._waiting) >= MAX_WAITING:
            metrics.REFUSED.labels(reason=Busy.code).inc()
            raise Busy(
                f"{MAX_WAITING} texts wait on this connection already; send the next one later.",
                retry_after_s=BUSY_RETRY_S,
            )
        await self.count_request()
        wanted.request = await synthesis.checked(request, self.caller)
        self._waiting.append(wanted)
        if self._spoken is None:
            self._begin_next()

    async def _cancel(self, message: Message) -> None:
        """Stop the text with that id, or every text of this connection."""
        request_id = messages.identifier(message, "request_id")
        count = 0
        for wanted in [*filter(None, [self._spoken]), *self._waiting]:
            if not wanted.is_cancelled and request_id in (None, wanted.request_id):
                wanted.cancel()
                count += 1
        self._waiting = deque(wanted for wanted in self._waiting if not wanted.is_cancelled)
        named: Message = {} if request_id is None else {"request_id": request_id}
        await self.say("cancelled", count=count, **named)

    async def _register(self, message: Message) -> None:
        owner = owner_of(self.caller)
        voice_id = message.get("voice_id")
        if not isinstance(voice_id, str) or not voice_id.strip():
            raise RequestRefused("voice_id", "send a name for the voice.")
        if not messages.boolean(message, "consent", False):
            raise RequestRefused(
                "consent", "the speaker must have agreed; send true if so.", code="consent_missing"
            )
        reference = messages.from_base64(message, "reference_audio", limit_bytes=MAX_REFERENCE_BYTES)
        await self.count_request()
        name = await in_thread(_registered)(voice_id=voice_id, reference=reference, owner=owner)
        await self.say("voice_registered", voice_id=name, **messages.names(message))

    async def _list(self, message: Message) -> None:
        """List the voices that were registered by this caller's owner."""
        await self.count_request()
        voices = await in_thread(_voices_of)(owner_of(self.caller))
        await self.say("registered_voices", voices=voices, **messages.names(message))

    async def _erase(self, message: Message) -> None:
        owner, voice_id = owner_of(self.caller), message.get("voice_id")
        await self.count_request()
        if not isinstance(voice_id, str) or not await in_thread(_erased)(voice_id=voice_id, owner=owner):
            raise RequestRefused("voice_id", "you have registered no voice of this name.", code="not_found")
        await self.say("voice_erased", voice_id=voice_id, **messages.names(message))

    # --- Speaking ---------------------------------------------------------------------------------

    def _begin_next(self) -> None:
        self._spoken = self._waiting.popleft() if self._waiting and self.is_open else None
        if self._spoken is not None:
            self.begin(self._send_speech_and_continue(self._spoken), **self._spoken.named)

    async def _send_speech_and_continue(self, wanted: Wanted) -> None:
        try:
            await self._send_speech(wanted)
        finally:
            self._begin_next()

    async def _send_speech(self, wanted: Wanted) -> None:
        speech = await synthesis.synthesize(wanted.request, tenant=tenant_of(self.caller))
        outgoing = _Outgoing(self, wanted)
        whole = bytearray()
        async with aclosing(speech.parts()) as parts:
            while part := await self._next_part(wanted, parts):
                if wanted.is_streaming:
                    await outgoing.send(part.body)
                else:
                    whole += part.body
        await outgoing.send(bytes(whole))
        if not wanted.is_cancelled:
            await self.say(
                "synthesis_complete",
                total_duration_ms=speech.result["duration_ms"],
                chunks_sent=outgoing.sent,
                cached=speech.is_cached,
                voice=speech.result["voice"],
                engine=speech.result["engine"],
                first_chunk_ms=outgoing.first_ms,
                **wanted.named,
            )

    async def _next_part(self, wanted: Wanted, parts: AsyncGenerator[Part]) -> Part | None:
        """Return the next part of the speech; None after the last, and as soon as the text is cancelled."""
        if wanted.is_cancelled:
            return None
        wanted.reading = self.spawn(_next(parts))
        try:
            return await wanted.reading
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if not wanted.is_cancelled or (task and task.cancelling()):
                raise
            return None


async def _next(parts: AsyncGenerator[Part]) -> Part | None:
    return await anext(parts, None)


class _Outgoing:
    """The chunks of one text."""

    def __init__(self, consumer: TtsConsumer, wanted: Wanted) -> None:
        self._consumer = consumer
        self._wanted = wanted
        self.sent = 0
        self.first_ms = 0.0

    async def send(self, pcm: bytes) -> None:
        """Send s16le in chunks; the last may be shorter, so that a sentence does not wait for the next."""
        for piece in _pieces(pcm, self._wanted.chunk_samples * SAMPLE_BYTES):
            if self._wanted.is_cancelled:
                return
            if not self.sent:
                self.first_ms = round(1000 * (time.monotonic() - self._wanted.asked_at), 1)
            samples = samples_from_s16le(piece)
            await self._consumer.say(
                "audio_chunk",
                binary=samples.astype("<f4").tobytes(),
                chunk_id=self.sent,
                duration_ms=round(1000 * len(samples) / SPEECH_RATE_HZ, 3),
                sample_rate=SPEECH_RATE_HZ,
                **self._wanted.named,
            )
            self.sent += 1


def _pieces(pcm: bytes, size: int) -> Iterator[memoryview]:
    whole = memoryview(pcm)
    for at in range(0, len(whole), size):
        yield whole[at : at + size]


def _voices_of(owner: str) -> list[Message]:
    from voice.speech import cloning

    return [
        {
            "voice_id": row.name,
            "duration_ms": row.duration_ms,
            "has_consent": row.has_consent,
            "created_at": row.created_at.isoformat(),
        }
        for row in cloning.voices_of(owner)
    ]


def _erased(*, voice_id: str, owner: str) -> bool:
    from voice.speech import cloning

    return cloning.remove(owner, voice_id)


def _registered(*, voice_id: str, reference: bytes, owner: str) -> str:
    """Store the voice; return its name for requests."""
    from voice.speech import cloning  # decodes audio, so it is imported only where needed

    row = cloning.register(owner=owner, voice_id=voice_id, reference_audio=reference, has_consent=True)
    return row.name
