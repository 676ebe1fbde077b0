"""The audio of a spoken answer: each frame is saved, acknowledged, and then passed to the listener."""

import time

from interviews.candidate import metrics
from interviews.candidate.audio import AnswerAudio, FrameRefused
from interviews.candidate.frame_length import FrameLength
from interviews.candidate.listening import listen_to
from interviews.candidate.outbox import Outbox
from interviews.models import Answer
from interviews.states import AnswerStatus
from voice.live.listener import Listener
from voice.live.voice_check import VoiceCheck


class AnswerStream:
    """The binary frames of one connection. They belong to the answer that `begin` was last called with."""

    def __init__(self, outbox: Outbox, *, channel_name: str) -> None:
        """channel_name: of the connection. It writes recordings under this name and receives captions."""
        self._outbox = outbox
        self._channel_name = channel_name
        self._audio: AnswerAudio | None = None
        self._listener: Listener | None = None
        self._voice: VoiceCheck | None = None  # of the answer being recorded; outlives its listener
        self._frame_length = FrameLength()

    async def begin(self, answer: Answer) -> None:
        """Expect frames of this answer from now on, and tell the page the byte offset to send from."""
        audio = AnswerAudio(answer, writer=self._channel_name)
        offset = await audio.open()
        self._audio = audio
        await self.stop_listening()
        self._voice = None
        if answer.status == AnswerStatus.RECORDING:
            self._listener = listen_to(answer, offset=offset, tell=self._tell, reply_to=self._channel_name)
            self._voice = self._listener.voice
        self._frame_length.has_changed(time.monotonic())
        await self._outbox.send(
            {
                "type": "resume",
                "answer": audio.answer_id,
                "recording": str(audio.recording_id),
                "offset": offset,
                "limit_bytes": audio.limit_bytes,
                "frame_ms": self._frame_length.ms,
            }
        )

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
        frame, held_bytes = await self._audio.hold(data)
        await self._outbox.acknowledge(held_bytes)
        metrics.frame_acked(time.monotonic() - came_at, len(frame.pcm))
        if self._listener is not None:
            self._listener.feed(frame.offset, frame.pcm)
        if self._frame_length.has_changed(came_at):
            await self._outbox.send({"type": "frames", "ms": self._frame_length.ms})

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
        if self._listener is not None:
            listener, self._listener = self._listener, None
            await listener.close()

    def stop_receiving(self) -> None:
        """Save no more frames and send no more captions: another connection continues the answer."""
        self._audio = None

    async def _tell(self, message: dict) -> None:
        if self._audio is not None:
            await self._outbox.send({"answer": self._audio.answer_id, **message})
