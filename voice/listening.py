"""Hearing a stream of speech: voice activity, end of turn and captions, beside the path of the audio.

A `Listener` is an asyncio shell around `voice.turns.TurnDetector` and `voice.captions.CaptionTrack`. `hear()`
only keeps the bytes; one task a listener hands what has come to a small pool of threads and says what it
noticed. It may be late or fall silent under load: nobody who records or acknowledges waits for it.

    listener = Listener("recording 7f...", noticed=tell, ask_for_partial=ask)
    listener.hear(0, pcm)            # -> await tell(SpeechStarted(0.4)), await ask(PartialWanted(12800, ...))
    caption = listener.partial_recognised(start, end, text)    # when the answer has come
    await listener.close()           # or finish(), which first hears the stream out

It knows neither recordings nor queues: where the audio lies and who recognises it is the caller's affair.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache

from django.conf import settings

from voice.captions import BYTES_A_SECOND, CaptionTrack, PartialWanted, byte_at
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

PIECE_BYTES = BYTES_A_SECOND
"""Heard at once: a burst is cut, so that a question about a pause is put before what follows settles it."""

Heard = SpeechStarted | SpeechEnded | TurnEnded
Noticed = Callable[[Heard], Awaitable[None]]
AskForPartial = Callable[[PartialWanted], Awaitable[bool]]


def message(event: Heard) -> dict:
    """The event as a message of the voice protocol: `speech_start`, `speech_end` or `turn_ended`."""
    match event:
        case SpeechStarted(timestamp_s=at):
            return {"type": "speech_start", "timestamp": at}
        case SpeechEnded(timestamp_s=at):
            return {"type": "speech_end", "timestamp": at}
        case TurnEnded(timestamp_s=at, reason=reason):
            return {"type": "turn_ended", "timestamp": at, "reason": reason}


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
    """Listens to one stream of mono s16le PCM at 16 000 Hz, from byte `offset` on.

    `noticed` is awaited with each event, in order; timestamps are seconds from the stream's byte 0
    (`voice.captions.byte_at` gives the byte). `ask_for_partial` is awaited with a stretch worth recognising;
    it starts that and returns at once, False if it could not (the queue is full): it is asked again a second
    later. At most one partial is under way; its text is handed to `partial_recognised`.
    """

    _semantic_waiting = 0  # over all listeners of the process

    def __init__(
        self,
        name: str,
        *,
        noticed: Noticed,
        ask_for_partial: AskForPartial,
        turn_settings: TurnSettings | None = None,
        offset: int = 0,
        backlog_bytes: int = BACKLOG_BYTES,
    ) -> None:
        """Begin to listen.

        name: what the log calls the stream. turn_settings: `is_semantic` (as is the default) counts only
        where the model is installed. backlog_bytes: further behind than this the newest audio is heard next.
        """
        self._name = name
        self._noticed = noticed
        self._ask_for_partial = ask_for_partial
        self._turn_settings = turn_settings or TurnSettings(is_semantic=True)
        self._backlog_bytes = backlog_bytes
        self._heard_to = offset
        self._pending = bytearray()
        self._has_audio = asyncio.Event()
        self._is_finishing = False
        self._is_closed = False
        self._captions = CaptionTrack(offset)
        self._task = asyncio.create_task(self._listen_or_fall_silent(offset))

    @property
    def behind_bytes(self) -> int:
        """Audio that came and was not listened to yet."""
        return len(self._pending)

    def hear(self, offset: int, pcm: bytes) -> None:
        """Take the frame at byte `offset`. What was heard before (sent twice) is skipped."""
        new = pcm[max(0, self._heard_to - offset) :]
        if new:
            self._pending += new
            self._heard_to = offset + len(pcm)
            self._has_audio.set()

    def partial_recognised(self, start: int, end: int, text: str) -> str | None:
        """A partial that was asked for has come back: the whole caption now, or None if it came too late."""
        return self._captions.recognised(start, end, text)

    async def finish(self) -> None:
        """The stream has ended: listen to what is left, notice how speech and turn end, and stop.

        A last partial is asked for, unless one is under way.
        """
        self._is_finishing = True
        self._has_audio.set()
        await asyncio.wait([self._task])

    async def close(self) -> None:
        """Stop listening. Returns soon, whatever the task is at.

        Cancelling alone would not do: redis-py 8 can lose it, and the task would wait for audio for ever.
        """
        self._is_closed = True
        self._has_audio.set()
        self._task.cancel()
        await asyncio.wait([self._task], timeout=CLOSE_WITHIN_S)

    async def _listen_or_fall_silent(self, offset: int) -> None:
        try:
            await self._listen(offset)
        except Exception as error:  # noqa: BLE001  whatever fails here, the stream goes on without it
            logger.warning("listening to %s has ended: %s", self._name, type(error).__name__)

    async def _listen(self, offset: int) -> None:
        loop = asyncio.get_running_loop()
        detector = await loop.run_in_executor(_threads(), self._new_detector, offset)
        while not self._is_closed:
            if not self._pending:
                if self._is_finishing:
                    break
                await self._has_audio.wait()
                self._has_audio.clear()
            if len(self._pending) > self._backlog_bytes:
                self._pending.clear()
                detector = await loop.run_in_executor(_threads(), self._new_detector, self._heard_to)
                continue
            pcm = bytes(self._pending[:PIECE_BYTES])
            del self._pending[:PIECE_BYTES]
            await self._take(detector, await loop.run_in_executor(_threads(), detector.feed, pcm))
        if self._is_finishing and not self._is_closed:
            await self._take(detector, await loop.run_in_executor(_threads(), detector.finish))

    def _new_detector(self, offset: int) -> TurnDetector:
        is_semantic = self._turn_settings.is_semantic and _smart_turn() is not None
        turn_settings = replace(self._turn_settings, is_semantic=is_semantic)
        return TurnDetector(_vad().stream(), turn_settings, start_s=offset / BYTES_A_SECOND)

    async def _take(self, detector: TurnDetector, events: list[TurnEvent]) -> None:
        for event in events:
            await self._take_one(detector, event)
        wanted = self._captions.heard_to(self._heard_to - len(self._pending))
        if wanted is not None and not await self._ask_for_partial(wanted):
            self._captions.not_asked()

    async def _take_one(self, detector: TurnDetector, event: TurnEvent) -> None:
        match event:
            case TurnQuestioned():
                await self._judge(detector, event)
                return
            case SpeechStarted(timestamp_s=at):
                self._captions.speech_started(byte_at(at))
            case SpeechEnded(timestamp_s=at):
                self._captions.speech_ended(byte_at(at))
        await self._noticed(event)

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
            await self._take_one(detector, event)
