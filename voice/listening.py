"""Hearing a recording under way: voice activity, end of turn and captions, beside the path of the audio.

A `Listener` is an asyncio shell around `voice.turns.TurnDetector`. `hear()` only keeps the bytes; one task a
listener hands what has come to a small pool of threads and tells what it noticed. It may be late or fall
silent under load: no recording and no acknowledgement waits for it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from uuid import UUID

import redis
from django.conf import settings

from voice import hot_audio, queues
from voice.captions import BYTES_A_SECOND, CaptionTrack, PartialWanted
from voice.engines.base import EngineUnavailable
from voice.engines.silero import SileroVad
from voice.engines.smart_turn import SmartTurn
from voice.turns import (
    SpeechEnded,
    SpeechStarted,
    TurnDetector,
    TurnEnded,
    TurnEvent,
    TurnQuestioned,
    TurnSettings,
)

logger = logging.getLogger(__name__)

BACKLOG_BYTES = 10 * BYTES_A_SECOND
"""A listener this far behind (a burst sent after a break) skips to the newest audio."""
CLOSE_WITHIN_S = 1
SEMANTIC_QUEUE = 2
"""Smart Turn takes 40 ms of a core: with so many questions waiting, silence alone decides."""

Tell = Callable[[dict], Awaitable[None]]


@cache
def _threads() -> ThreadPoolExecutor:
    """ONNX Runtime releases the GIL; two threads keep voice activity going while a turn is judged."""
    return ThreadPoolExecutor(max_workers=2, thread_name_prefix="listening")


@cache
def _vad() -> SileroVad:
    vad = SileroVad()
    vad.load()
    return vad


@cache
def _smart_turn() -> SmartTurn | None:
    """The semantic model, or None where it is not installed."""
    model = SmartTurn(settings.VOICE["SMART_TURN_MODEL"])
    try:
        model.load()
    except EngineUnavailable as error:
        logger.info("end of turn by silence alone: %s", error)
        return None
    return model


class Listener:
    """Listens to one recording from byte `offset` on and tells, as messages of the voice protocol:

    `speech_start`, `speech_end`, `turn_ended` (timestamps in seconds from the recording's first sample) and
    `caption`. Recognised partials come back to channel `reply_to` and are handed to `partial_recognised`.
    """

    _semantic_waiting = 0  # over all listeners of the process

    def __init__(self, *, recording_id: UUID, language: str, offset: int, reply_to: str, tell: Tell) -> None:
        self._recording_id = recording_id
        self._language = language
        self._reply_to = reply_to
        self._tell = tell
        self._heard_to = offset
        self._pending = bytearray()
        self._has_audio = asyncio.Event()
        self._is_closed = False
        self._captions = CaptionTrack(offset)
        self._task = asyncio.create_task(self._listen_or_fall_silent(offset))

    def hear(self, offset: int, pcm: bytes) -> None:
        """Take a frame that was held. What was heard before (sent twice) is skipped."""
        new = pcm[max(0, self._heard_to - offset) :]
        if new:
            self._pending += new
            self._heard_to = offset + len(pcm)
            self._has_audio.set()

    async def close(self) -> None:
        """Stop listening. Returns soon, whatever the task is at.

        Cancelling alone would not do: redis-py 8 can lose it, and the task would wait for audio for ever.
        """
        self._is_closed = True
        self._has_audio.set()
        self._task.cancel()
        await asyncio.wait([self._task], timeout=CLOSE_WITHIN_S)

    async def partial_recognised(self, message: dict) -> None:
        """A partial that this listener asked for has come back."""
        text = self._captions.recognised(message["start"], message["end"], message["text"])
        if text is not None:
            await self._tell({"type": "caption", "text": text})

    async def _listen_or_fall_silent(self, offset: int) -> None:
        try:
            await self._listen(offset)
        except Exception as error:  # noqa: BLE001  whatever fails here, the recording goes on without it
            logger.warning("listening to %s has ended: %s", self._recording_id, type(error).__name__)

    async def _listen(self, offset: int) -> None:
        loop = asyncio.get_running_loop()
        detector = await loop.run_in_executor(_threads(), self._new_detector, offset)
        while not self._is_closed:
            await self._has_audio.wait()
            self._has_audio.clear()
            pcm, self._pending = bytes(self._pending), bytearray()
            if len(pcm) > BACKLOG_BYTES:
                detector = await loop.run_in_executor(_threads(), self._new_detector, self._heard_to)
                continue
            for event in await loop.run_in_executor(_threads(), detector.feed, pcm):
                await self._noticed(detector, event)
            wanted = self._captions.heard_to(self._heard_to - len(self._pending))
            if wanted is not None:
                await self._ask_for_partial(wanted)

    @staticmethod
    def _new_detector(offset: int) -> TurnDetector:
        is_semantic = _smart_turn() is not None
        return TurnDetector(
            _vad().stream(), TurnSettings(is_semantic=is_semantic), start_s=offset / BYTES_A_SECOND
        )

    async def _noticed(self, detector: TurnDetector, event: TurnEvent) -> None:
        match event:
            case SpeechStarted(timestamp_s=at):
                self._captions.speech_started(int(at * BYTES_A_SECOND))
                await self._tell({"type": "speech_start", "timestamp": at})
            case SpeechEnded(timestamp_s=at):
                self._captions.speech_ended(int(at * BYTES_A_SECOND))
                await self._tell({"type": "speech_end", "timestamp": at})
            case TurnQuestioned():
                await self._judge(detector, event)
            case TurnEnded(timestamp_s=at, reason=reason):
                await self._tell({"type": "turn_ended", "timestamp": at, "reason": reason})

    async def _judge(self, detector: TurnDetector, question: TurnQuestioned) -> None:
        """Ask the semantic model, unless too many ask; unanswered, silence decides."""
        model = _smart_turn()
        if model is None or Listener._semantic_waiting >= SEMANTIC_QUEUE:
            return
        Listener._semantic_waiting += 1
        try:
            loop = asyncio.get_running_loop()
            probability = await loop.run_in_executor(_threads(), model.probability, question.samples)
        finally:
            Listener._semantic_waiting -= 1
        for event in detector.answer(question, probability):
            await self._noticed(detector, event)

    async def _ask_for_partial(self, wanted: PartialWanted) -> None:
        try:
            if await hot_audio.async_client().llen("rq:queue:stt-partial") >= settings.PARTIAL_QUEUE_LIMIT:
                self._captions.not_asked()
                return
            job = (str(self._recording_id), wanted.start, wanted.end, self._language, self._reply_to)
            await asyncio.to_thread(queues.enqueue_now, "stt-partial", "voice.jobs.recognise_partial", *job)
        except redis.RedisError:
            self._captions.not_asked()
