"""The audio of a spoken answer: each frame is saved, acknowledged, and then passed to the listener."""

import time
from contextlib import AbstractContextManager
from typing import Any

from interviews.candidate import metrics
from interviews.candidate.audio import AnswerAudio, FrameRefused
from interviews.candidate.listening import listen_to
from interviews.candidate.outbox import Outbox
from interviews.candidate.relief import Relief
from interviews.candidate.turn_taking import turn_settings
from interviews.models import Answer
from interviews.states import AnswerStatus
from voice.infra import correlation, tracing
from voice.live.listener import Listener
from voice.live.voice_check import VoiceCheck


class AnswerStream:
    """The binary frames of one connection. They belong to the answer that `begin` was last called with."""

    def __init__(self, outbox: Outbox, *, channel_name: str) -> None:
        """channel_name: of the connection. It writes recordings under this name and receives captions."""
        self._outbox = outbox
        self._channel_name = channel_name
        self._audio: AnswerAudio | None = None
        self._answer: Answer | None = None  # as long as it is recorded
        self._listener: Listener | None = None
        self._has_asked_page = False  # to hear by itself, since the listener began
        self._is_in_turn = False  # the listener heard speech, and no end of the turn
        self._voice: VoiceCheck | None = None  # of the answer being recorded; outlives its listener
        self._relief = Relief()
        self._connection = tracing.here()
        self._trace: Any = None  # of the answer that `begin` was last called with; it outlives the recording

    async def begin(self, answer: Answer) -> None:
        """Expect frames of this answer from now on, and tell the page the byte offset to send from."""
        audio = AnswerAudio(answer, writer=self._channel_name)
        offset = await audio.open()
        await self.stop_listening()
        self._begin_trace(audio)
        self._audio = audio
        self._answer = self._voice = None
        if answer.status == AnswerStatus.RECORDING:
            self._answer = answer
            self._voice = self._listen(offset).voice
        self._relief.follow(time.monotonic())
        await self._outbox.send(
            {
                "type": "resume",
                "answer": audio.answer_id,
                "recording": str(audio.recording_id),
                "offset": offset,
                "limit_bytes": audio.limit_bytes,
                "frame_ms": self._relief.frame_ms,
            }
        )

    def _begin_trace(self, audio: AnswerAudio) -> None:
        """Begin the span of the upload. An answer that goes on, by a new limit, goes on in its trace."""
        is_same = self._audio is not None and self._audio.recording_id == audio.recording_id
        parent, link = (self._trace, None) if is_same else tracing.branch()
        attributes = {
            "interview.recording": str(audio.recording_id),
            tracing.REQUEST_ID: correlation.request_id(),
        }
        self._trace = tracing.begin(
            "upload answer", "SERVER", parent=parent, link=link, attributes=attributes
        )

    def in_trace_of(self, answer_id: object) -> AbstractContextManager[Any]:
        """Let the block belong to the trace of that answer; to the connection's, if it is not at hand."""
        is_it = self._audio is not None and self._audio.answer_id == answer_id
        return tracing.within(self._trace if is_it else self._connection)

    @property
    def recorded(self) -> str | None:
        """The id of the answer that is being recorded on this connection."""
        return str(self._answer.id) if self._answer is not None else None

    async def receive(self, data: bytes) -> None:
        """Save a frame, acknowledge it, and pass it to the listener.

        Raises:
            FrameRefused: see docs/candidate-socket.md, "Errors".
            TakenOver: another connection writes.
            redis.RedisError: it is unknown whether the frame was saved.
        """
        came_at = time.monotonic()
        if self._audio is None:
            raise FrameRefused("not_recording", "No answer is being recorded: begin or select one first.")
        with tracing.within(self._trace):
            frame, held_bytes = await self._audio.hold(data)
        await self._outbox.acknowledge(held_bytes)
        metrics.frame_acked(time.monotonic() - came_at, len(frame.pcm))
        if self._listener is not None:
            self._listener.feed(frame.offset, frame.pcm)
        await self._follow_load(came_at, held_bytes)

    async def _follow_load(self, now_s: float, held_bytes: int) -> None:
        """Tell the page what it should do differently, if the load has changed."""
        if self._relief.follow(now_s):
            await self._outbox.send({"type": "frames", "ms": self._relief.frame_ms})
        if self._answer is None:
            return
        if self._listener is None and not self._relief.hears:
            self._listen(held_bytes)
        elif self._listener is not None and self._relief.hears and not self._has_asked_page:
            await self._ask_page_to_hear(self._answer)

    async def _ask_page_to_hear(self, answer: Answer) -> None:
        self._has_asked_page = True
        settings = turn_settings(answer.session.agreed, answer.session.invitation.accommodation)
        silence_ms = settings.end_silence_ms
        await self._tell({"type": "hear", "end_silence_ms": silence_ms, "is_in_turn": self._is_in_turn})

    def _listen(self, offset: int) -> Listener:
        assert self._answer is not None, "only an answer is listened to"
        self._has_asked_page = self._is_in_turn = False
        with tracing.within(self._trace):  # the jobs of captions belong to it
            self._listener = listen_to(
                self._answer, offset=offset, tell=self._tell_turn, reply_to=self._channel_name
            )
        return self._listener

    async def leave_hearing_to_page(self, answer_id: str) -> None:
        """The page tells by itself when the turn is over. Without having been asked it is not believed."""
        is_asked = self._listener is not None and self._has_asked_page
        if is_asked and self._answer is not None and str(self._answer.id) == answer_id:
            await self._stop_listener()

    async def show_caption(self, start: int, end: int, text: str) -> None:
        """Send the whole caption after bytes [start, end) were recognised, unless that is too late."""
        if self._listener is None:
            return
        caption = self._listener.caption_recognised(start, end, text)
        if caption is not None:
            await self._tell({"type": "caption", "text": caption})

    def is_full(self, byte_count: int) -> bool:
        """Whether the answer may have no more audio than that."""
        return self._audio is not None and byte_count >= self._audio.limit_bytes

    async def has_speech(self, answer_id: str) -> bool | None:
        """Whether a voice was heard in that answer; None if not all of it was listened to here."""
        is_it = self._audio is not None and self._audio.answer_id == answer_id
        return await self._voice.has_speech_by_now() if self._voice is not None and is_it else None

    async def stop_listening(self) -> None:
        """Send no more turns and captions. Frames are still saved."""
        self._answer = None
        tracing.end(self._trace)
        await self._stop_listener()

    async def _stop_listener(self) -> None:
        if self._listener is not None:
            listener, self._listener = self._listener, None
            await listener.close()

    def stop_receiving(self) -> None:
        """Save no more frames and send no more captions: another connection continues the answer."""
        self._audio = None

    async def _tell_turn(self, message: dict) -> None:
        self._is_in_turn = message["type"] != "turn_ended"
        await self._tell(message)

    async def _tell(self, message: dict) -> None:
        if self._audio is not None:
            await self._outbox.send({"answer": self._audio.answer_id, **message})
