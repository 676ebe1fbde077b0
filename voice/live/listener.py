"""Listen to streams of speech: voice activity, end of turn and captions, beside the path of the audio.

A `Listener` is an asyncio shell around `voice.live.turn_detection.TurnDetector` and
`voice.live.captions.CaptionTrack`. `feed()` only buffers the bytes; all listeners of an event loop are
processed together in rounds, one hop into a thread each. They may be late or stop under load: recording and
acknowledging do not wait for them.

    listener = Listener("recording 7f...", noticed=tell, request_caption=ask, read=read)
    listener.feed(0, pcm)            # -> await tell(SpeechStarted(0.4)), await ask(CaptionWanted(12800, ...))
    caption = listener.caption_recognised(start, end, text)    # when the answer has come
    await listener.close()

It knows neither recordings nor queues: the caller decides where the audio is stored and which worker
transcribes it. It keeps no audio that was processed.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextvars import copy_context
from dataclasses import replace
from weakref import WeakKeyDictionary

from voice import metrics
from voice.audio.pcm import BYTES_A_SECOND, byte_at
from voice.live import detectors, semantic_turns
from voice.live.captions import CaptionTrack, CaptionWanted
from voice.live.lulls import Lulls, Paused
from voice.live.rounds import Rounds
from voice.live.semantic_turns import Read
from voice.live.turn_detection import (
    BLOCK_BYTES,
    SpeechEnded,
    SpeechStarted,
    TurnDetector,
    TurnEnded,
    TurnEvent,
    TurnQuestioned,
    TurnSettings,
    feed_together,
)
from voice.live.voice_check import VoiceCheck

logger = logging.getLogger(__name__)

BACKLOG_BYTES = 10 * BYTES_A_SECOND
"""A listener this far behind (a burst sent after a break) skips to the newest audio."""
CLOSE_WITHIN_S = 1

Heard = SpeechStarted | SpeechEnded | TurnEnded
Noticed = Callable[[Heard], Awaitable[None]]
RequestCaption = Callable[[CaptionWanted], Awaitable[bool]]


def message(event: Heard) -> dict:
    """Return the event as a message of the voice protocol: `speech_start`, `speech_end` or `turn_ended`."""
    match event:
        case SpeechStarted(timestamp_s=at):
            return {"type": "speech_start", "timestamp": at}
        case SpeechEnded(timestamp_s=at):
            return {"type": "speech_end", "timestamp": at}
        case TurnEnded(timestamp_s=at, reason=reason):
            return {"type": "turn_ended", "timestamp": at, "reason": reason}


def behind_s() -> float:
    """Return how many seconds the oldest audio of this event loop's listeners has waited.

    A listener that is still sending earlier events does not count: the cause may be a slow client.
    """
    rounds = _rounds.get(asyncio.get_running_loop())
    return rounds.behind_s() if rounds is not None else 0.0


class Listener:
    """Listens to one stream of mono s16le PCM at 16 000 Hz, from byte `offset` on.

    `noticed` is awaited with each event, in order; timestamps are seconds from the stream's byte 0
    (`voice.audio.pcm.byte_at` gives the byte). `request_caption` is awaited with a stretch worth
    recognising; it starts that and returns at once, False if it could not (the queue is full): it is asked
    again a second later. At most one caption is under way; its text is handed to `caption_recognised`. While
    either is awaited, nothing further of this stream is heard. `read` returns bytes [start, end) of the
    stream, fewer if they are gone; a thread calls it when the semantic model is asked. `paused` is awaited
    soon after speech pauses, perhaps for its end. `voice` says whether anyone spoke.
    """

    def __init__(
        self,
        name: str,
        *,
        noticed: Noticed,
        request_caption: RequestCaption,
        read: Read,
        paused: Paused | None = None,
        turn_settings: TurnSettings | None = None,
        offset: int = 0,
        backlog_bytes: int = BACKLOG_BYTES,
    ) -> None:
        """Start listening; an event loop must be running.

        name: the stream's name in the log.
        turn_settings: `is_semantic`, the default, has an effect only if the model is installed.
        backlog_bytes: when further behind than this, skip to the newest audio.
        """
        self._name = name
        self._noticed = noticed
        self._request_caption = request_caption
        self._read = read
        self._turn_settings = turn_settings or TurnSettings(is_semantic=True)
        self._backlog_bytes = backlog_bytes
        self._came_to = offset
        self._pending = bytearray()
        self._waits_since = 0.0  # no byte of `_pending` arrived earlier
        self._detector: TurnDetector | None = None  # of the audio that is processed next
        self._captions = CaptionTrack(offset)
        self._lulls = Lulls(paused)
        self.voice = VoiceCheck(has_missed=offset > 0)
        self._telling: asyncio.Task[None] | None = None
        self._context = copy_context()  # rounds, which know no request, start the tasks of all streams
        self._is_closed = False
        self._rounds = _rounds_here()

    def feed(self, offset: int, pcm: bytes) -> None:
        """Buffer the frame at byte `offset`. Bytes that came before (sent twice) are skipped."""
        new = pcm[max(0, self._came_to - offset) :]
        if not new or self._is_closed:
            return
        if not self._pending:
            self._waits_since = time.monotonic()
        self._pending += new
        self._came_to = offset + len(pcm)
        if len(self._pending) > self._backlog_bytes:
            self._pending.clear()
            self._detector = None
            self.voice.miss()
            return
        if len(self._pending) >= BLOCK_BYTES:
            self.voice.expect()
        if self.is_due:
            self._rounds.want(self)
        else:
            self._lulls.look(self._detector, self._pending)

    def caption_recognised(self, start: int, end: int, text: str) -> str | None:
        """A stretch that was asked for is recognised: the whole caption now, or None if it came too late."""
        return self._captions.recognised(start, end, text)

    async def close(self) -> None:
        """Stop listening. Returns soon, whatever its callbacks are doing.

        Cancelling alone is not enough: redis-py 8 can lose a cancellation, and the event would still be sent.
        """
        self._is_closed = True
        self._pending.clear()
        self._lulls.close()
        self.voice.miss()
        if self._telling is not None:
            self._telling.cancel()
            await asyncio.wait([self._telling], timeout=CLOSE_WITHIN_S)

    # --- In rounds --------------------------------------------------------------------------------

    @property
    def is_due(self) -> bool:
        """Whether the next round should process this stream."""
        return len(self._pending) >= BLOCK_BYTES and self._telling is None

    @property
    def is_late(self) -> bool:
        """Whether more audio waits than arrives between two rounds."""
        return len(self._pending) >= 2 * BLOCK_BYTES

    @property
    def waits_since(self) -> float:
        """When the oldest waiting audio arrived, by `time.monotonic`."""
        return self._waits_since

    def next_block(self) -> tuple[TurnDetector, bytes]:
        """Take the next block for a round, and return it with its turn detector.

        It is one block, 256 ms: no stream waits for another's burst, and a question about a pause is asked
        before later audio settles it.
        """
        if self._detector is None:
            self._detector = self._new_detector()
        block = bytes(self._pending[:BLOCK_BYTES])
        del self._pending[:BLOCK_BYTES]
        # In a real-time stream, the remaining audio arrived as long ago as it lasts; a burst arrived at once.
        self._waits_since = max(self._waits_since, time.monotonic() - len(self._pending) / BYTES_A_SECOND)
        return self._detector, block

    def detected(self, detector: TurnDetector, events: list[TurnEvent]) -> None:
        """Handle the result of a round: run the callbacks in a task, so that other streams do not wait."""
        if self._is_closed:
            return
        if len(self._pending) < BLOCK_BYTES:
            self.voice.caught_up()
            self._lulls.look(detector, self._pending)
        wanted = None if events else self._captions.advance_to(self._position)
        if events or wanted is not None:
            telling = self._tell(detector, events, wanted)
            self._telling = asyncio.get_running_loop().create_task(telling, context=self._context)

    def fall_silent(self, error: Exception) -> None:
        """Stop after a failure; the stream continues without its listener."""
        if self._is_closed:
            return
        self._is_closed = True
        self._pending.clear()
        self.voice.miss()
        logger.warning("listening to %s has ended: %s", self._name, type(error).__name__)

    @property
    def _position(self) -> int:
        return self._came_to - len(self._pending)

    def _new_detector(self) -> TurnDetector:
        is_semantic = self._turn_settings.is_semantic and detectors.smart_turn() is not None
        turn_settings = replace(self._turn_settings, is_semantic=is_semantic)
        detector = TurnDetector(
            detectors.voice_activity().stream(), turn_settings, start_s=self._position / BYTES_A_SECOND
        )
        self.voice.follow(detector)
        return detector

    # --- Callbacks --------------------------------------------------------------------------------

    async def _tell(
        self, detector: TurnDetector, events: list[TurnEvent], wanted: CaptionWanted | None
    ) -> None:
        try:
            for event in events:
                await self._tell_one(detector, event)
            await self._ask(wanted or self._captions.advance_to(self._position))
        except Exception as error:  # noqa: BLE001  the other streams must go on in any case
            self.fall_silent(error)
        self._telling = None
        self._waits_since = time.monotonic()  # until now its callbacks were running
        if self.is_due:
            self._rounds.want(self)

    async def _tell_one(self, detector: TurnDetector, event: TurnEvent) -> None:
        match event:
            case TurnQuestioned():
                await self._judge(detector, event)
                return
            case SpeechStarted(timestamp_s=at):
                self._captions.speech_started(byte_at(at))
            case SpeechEnded(timestamp_s=at):
                self._captions.speech_ended(byte_at(at))
            case TurnEnded(reason=reason):
                metrics.TURNS.labels(reason=reason).inc()
        if not self._is_closed:
            await self._noticed(event)

    async def _ask(self, wanted: CaptionWanted | None) -> None:
        if wanted is not None and not self._is_closed and not await self._request_caption(wanted):
            self._captions.refused()

    async def _judge(self, detector: TurnDetector, question: TurnQuestioned) -> None:
        """Ask the semantic model; where it does not answer, silence decides."""
        likely = await semantic_turns.likelihood(question, self._read)
        if likely is not None:
            for event in detector.answer(question, likely):
                await self._tell_one(detector, event)


_rounds: WeakKeyDictionary[asyncio.AbstractEventLoop, Rounds] = WeakKeyDictionary()


def _rounds_here() -> Rounds:
    return _rounds.setdefault(asyncio.get_running_loop(), Rounds(_load, _detect_together))


def _load() -> None:
    detectors.voice_activity()
    detectors.smart_turn()


def _detect_together(blocks: list[tuple[TurnDetector, bytes]]) -> list[list[TurnEvent]]:
    began_s = time.thread_time()
    events = feed_together(blocks, detectors.voice_activity().heard_together)
    metrics.VAD_SECONDS.inc(time.thread_time() - began_s)
    metrics.HEARD_SECONDS.inc(len(blocks) * BLOCK_BYTES / BYTES_A_SECOND)
    return events
