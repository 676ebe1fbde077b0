"""Transcribes one stream: cuts it into utterances and recognises each once, with captions meanwhile.

What a connection may cost: one utterance that is being said (30 s at most), `FINALS_UNDER_WAY` that are being
recognised, one caption. With as many finals under way nothing more is heard before one has come back: the
client is slowed down, its audio is not lost.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Protocol

from voice.callers import Caller
from voice.errors import Busy, VoiceError
from voice.live import ahead, caption_queue
from voice.live.detectors import voice_activity
from voice.live.turn_detection import BLOCK_BYTES
from voice.live.utterances import (
    BYTES_A_SECOND,
    Began,
    Ended,
    Paused,
    Resumed,
    Utterance,
    UtteranceCutter,
    UtteranceEvent,
)
from voice.queues import jobs
from voice.queues.call_keys import Meta
from voice.service import transcription
from voice.service.requests import TranscriptionRequest

FINALS_UNDER_WAY = 3
FINAL_WITHIN_S = 60.0
"""So long a final is asked for again while all workers are busy."""
CAPTION_WITHIN_S = 10.0
CAPTION_STEP_BYTES = BYTES_A_SECOND
CAPTION_STEP_SHARE = 0.15
"""A caption is worth its cost after a second more, or after this share of a long utterance."""
PIECE_BYTES = BYTES_A_SECOND


@cache
def _threads() -> ThreadPoolExecutor:
    """Return threads for voice activity: ONNX Runtime releases the GIL while it works."""
    return ThreadPoolExecutor(max_workers=2, thread_name_prefix="utterances")


class Audience(Protocol):
    """The receiver of a transcriber's messages: the connection."""

    @property
    def caller(self) -> Caller: ...
    async def say(self, kind: str, **fields: Any) -> None: ...
    async def failed(self, error: Exception, **named: Any) -> None: ...
    async def count_request(self) -> None: ...
    def begin(self, work: Coroutine[Any, Any, None], **named: Any) -> asyncio.Task[None]: ...
    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]: ...


@dataclass(frozen=True, slots=True)
class _Guess:
    """A pause that may be the end: the utterance is being transcribed already."""

    utterance: Utterance
    recognising: asyncio.Task[Meta | None]


class Transcriber:
    """Transcribes one stream of mono s16le PCM at 16 000 Hz. Await `feed` and `end` one after the other."""

    def __init__(self, audience: Audience) -> None:
        self._audience = audience
        self._request = TranscriptionRequest()
        self._has_captions = True
        self._silence_ms = 600
        self._cutter: UtteranceCutter | None = None
        self._waiting = bytearray()  # less than the cutter can process
        self._came_bytes = 0
        self._guess: _Guess | None = None
        self._has_room = asyncio.Semaphore(FINALS_UNDER_WAY)
        self._last: asyncio.Task[None] | None = None  # finals are told in order
        self._caption: asyncio.Task[None] | None = None
        self._caption_bytes = 0  # what the newest caption was made of
        self._utterance_number = 0

    def configure(self, request: TranscriptionRequest, *, has_captions: bool, silence_ms: int) -> None:
        """Change the parameters: from the next utterance on, the silence at once."""
        self._request, self._has_captions, self._silence_ms = request, has_captions, silence_ms
        if self._cutter is not None:
            self._cutter.silence_ms = silence_ms

    async def feed(self, pcm: bytes) -> None:
        """Take the next piece of the stream, of any length."""
        self._waiting += pcm
        self._came_bytes += len(pcm)
        while len(self._waiting) >= BLOCK_BYTES:
            size = min(PIECE_BYTES, len(self._waiting) // BLOCK_BYTES * BLOCK_BYTES)
            piece = bytes(self._waiting[:size])
            del self._waiting[:size]
            await self._handle(await self._in_thread(self._detect, piece))
            self._request_caption()

    async def end(self) -> None:
        """End the stream: the last utterance is transcribed at once, and `done` follows it."""
        rest = bytes(self._waiting)
        self._waiting.clear()
        await self._handle(await self._in_thread(self._detect_last, rest))
        self._cutter = None
        self._last = self._audience.begin(self._done(self._came_bytes / BYTES_A_SECOND, self._last))

    # --- In threads -------------------------------------------------------------------------------

    def _detect(self, pcm: bytes) -> list[UtteranceEvent]:
        if self._cutter is None:
            start_bytes = self._came_bytes - len(self._waiting) - len(pcm)
            self._cutter = UtteranceCutter(
                voice_activity().stream(), silence_ms=self._silence_ms, start_bytes=start_bytes
            )
        return self._cutter.feed(pcm)

    def _detect_last(self, pcm: bytes) -> list[UtteranceEvent]:
        events = self._detect(pcm)
        return [*events, *self._cutter.finish()] if self._cutter else events

    async def _in_thread(
        self, function: Callable[[bytes], list[UtteranceEvent]], pcm: bytes
    ) -> list[UtteranceEvent]:
        return await asyncio.get_running_loop().run_in_executor(_threads(), function, pcm)

    # --- Utterances -------------------------------------------------------------------------------

    async def _handle(self, events: list[UtteranceEvent]) -> None:
        for event in events:
            match event:
                case Began(timestamp_s=at):
                    self._utterance_number += 1
                    self._caption_bytes = 0
                    await self._audience.say("speech_start", timestamp=round(at, 3))
                case Paused(utterance=utterance) if event is events[-1]:
                    self._guess_end(utterance)
                case Resumed():
                    self._forget_guess()
                case Ended(utterance=utterance):
                    await self._ended(utterance)

    def _guess_end(self, utterance: Utterance) -> None:
        """Begin to transcribe what may be complete, so that at the real end the result is there sooner."""
        recognising = self._audience.spawn(self._recognised_if_idle(utterance))
        self._guess = _Guess(utterance, recognising)

    def _forget_guess(self) -> None:
        if self._guess is not None:
            self._guess.recognising.cancel()
            self._guess = None

    async def _ended(self, utterance: Utterance) -> None:
        self._utterance_number += 1  # captions of it are stale
        await self._audience.say("speech_end", timestamp=round(utterance.end_s, 3))
        await self._has_room.acquire()
        guess, self._guess = self._guess, None
        if guess is not None and guess.utterance.pcm != utterance.pcm:
            guess.recognising.cancel()
            guess = None
        final = self._final(utterance, self._request, guess, self._last, time.monotonic())
        self._last = self._audience.begin(final)

    async def _final(
        self,
        utterance: Utterance,
        request: TranscriptionRequest,
        guess: _Guess | None,
        before: asyncio.Task[None] | None,
        ended_at: float,
    ) -> None:
        """Transcribe one utterance and send it after the one before."""
        error: Exception | None = None
        try:
            await self._audience.count_request()
            recognition = (await _outcome(guess) if guess else None) or await self._recognised_patiently(
                request, utterance
            )
        except Exception as failure:  # noqa: BLE001  sent in its turn
            error = failure
            if guess is not None:
                guess.recognising.cancel()
        finally:
            self._has_room.release()
        await _over(before)
        if error is not None:
            stretch = {"start": round(utterance.start_s, 3), "end": round(utterance.end_s, 3)}
            await self._audience.failed(error, **stretch)
            return
        latency_ms = round(1000 * (time.monotonic() - ended_at), 1)
        await self._audience.say("final", **final_fields(recognition, utterance), latency_ms=latency_ms)

    async def _recognised_if_idle(self, utterance: Utterance) -> Meta | None:
        """Return the transcript; None if workers are busy or it fails, then it is requested at the end.

        One of every few guesses is wrong, and a worker does not notice that before it has finished.
        """
        request = self._request
        if ahead.is_off() or not await jobs.has_spare_workers("stt", transcription.QUEUE):
            return None
        try:
            return await self._recognised(request, utterance)
        except VoiceError:
            return None

    async def _done(self, duration_s: float, before: asyncio.Task[None] | None) -> None:
        await _over(before)
        await self._audience.say("done", duration=round(duration_s, 3))

    # --- Captions ---------------------------------------------------------------------------------

    def _request_caption(self) -> None:
        """Ask for a caption of what is being said, if it has grown enough and none is under way."""
        if not self._has_captions or self._cutter is None or (self._caption and not self._caption.done()):
            return
        speech_bytes = self._cutter.speech_bytes
        step = max(CAPTION_STEP_BYTES, CAPTION_STEP_SHARE * speech_bytes)
        if speech_bytes and speech_bytes - self._caption_bytes >= step:
            self._caption_bytes = speech_bytes
            request = replace(self._request, is_partial=True)
            self._caption = self._audience.spawn(
                self._tell_caption(request, self._cutter.so_far(), self._utterance_number)
            )

    async def _tell_caption(self, request: TranscriptionRequest, utterance: Utterance, number: int) -> None:
        if not await caption_queue.may_ask(transcription.CAPTION_QUEUE):
            return
        try:
            recognition = await self._recognised(request, utterance, within_s=CAPTION_WITHIN_S)
        except VoiceError:
            return
        if recognition["text"] and number == self._utterance_number:
            await self._audience.say(
                "partial",  # the protocol's word for a caption
                text=recognition["text"],
                confidence=recognition["confidence"],
                timestamp=round(utterance.end_s, 3),
                language=recognition["language"],
            )

    async def _recognised(
        self, request: TranscriptionRequest, utterance: Utterance, *, within_s: float = FINAL_WITHIN_S * 2
    ) -> Meta:
        caller = self._audience.caller
        async with transcription.transcribe(
            request, utterance.pcm, caller, is_pcm=True, is_utterance=True
        ) as call:
            return await call.complete(within_s=within_s)

    async def _recognised_patiently(self, request: TranscriptionRequest, utterance: Utterance) -> Meta:
        """Retry while too much waits: the speaker cannot say it again."""
        deadline = time.monotonic() + FINAL_WITHIN_S
        while True:
            try:
                return await self._recognised(request, utterance)
            except Busy as busy:
                if time.monotonic() + busy.retry_after_s > deadline:
                    raise
                await asyncio.sleep(busy.retry_after_s)


async def _outcome(guess: _Guess) -> Meta | None:
    try:
        return await guess.recognising
    except Exception:  # noqa: BLE001  it is requested again in any case
        return None


async def _over(task: Awaitable[None] | None) -> None:
    if isinstance(task, asyncio.Task):
        await asyncio.wait([task])


def final_fields(recognition: Meta, utterance: Utterance) -> Meta:
    """Return the fields of `final`: times from the stream's first sample, not the utterance's."""

    def shifted(fields: Meta) -> Meta:
        start, end = (round(fields[name] + utterance.pcm_start_s, 3) for name in ("start", "end"))
        return {**fields, "start": start, "end": end}

    words = [shifted(word) for segment in recognition["segments"] for word in segment["words"]]
    segments = [
        {name: value for name, value in shifted(segment).items() if name != "words"}
        for segment in recognition["segments"]
    ]
    return {
        "text": recognition["text"],
        "start": round(utterance.start_s, 3),
        "end": round(utterance.end_s, 3),
        "words": words,
        "language": recognition["language"],
        "language_probability": recognition["language_probability"],
        "confidence": recognition["confidence"],
        "segments": segments,
    }
