"""The audio of one answer: each frame is checked and saved. `answer_stream` acknowledges it.

audio = AnswerAudio(answer, writer=channel_name)
offset = await audio.open()                    # where the browser goes on
frame, held_bytes = await audio.hold(data)     # a binary message; held_bytes: bytes without a gap
"""

import asyncio
import time
from uuid import UUID

from interviews.actions.errors import ActionRefused
from interviews.models import Answer
from voice.infra.threads import in_thread
from voice.models import Recording
from voice.recordings import buffer, frames, lifecycle, queueing, storage
from voice.recordings.buffer import Outcome, Write

MOVE_AGAIN_S = 5.0
"""Interval for queueing the job that moves segments, while one is due: a queued job may be lost."""
_NOTHING_MISSING = "That recording is stored or was deleted: nothing is missing."


class FrameRefused(ActionRefused):
    """The frame was rejected, and the saved audio is unchanged."""

    def __init__(self, code: str, detail: str, **extra: object) -> None:
        super().__init__(detail, **extra)
        self.code = code


class TakenOver(Exception):
    """Another connection of the candidate writes the recording now."""


class AnswerAudio:
    """The recording that the connection's binary frames belong to."""

    def __init__(self, answer: Answer, *, writer: str) -> None:
        """Bind an answer to a connection. writer: the only connection that may write after `open`."""
        self.answer_id = str(answer.id)
        self._recording = answer.current_recording
        self._writer = writer
        self._asked_at = 0.0
        self._asking: asyncio.Task[None] | None = None

    @property
    def recording_id(self) -> UUID:
        return self._recording.id

    @property
    def limit_bytes(self) -> int:
        """The recording's size limit."""
        return self._recording.limit_bytes

    async def open(self) -> int:
        """Return the byte offset to send from.

        Raises:
            FrameRefused: the recording was discarded or erased meanwhile.
        """
        try:
            return await lifecycle.open_for(self._recording, writer=self._writer)
        except buffer.Erased:
            raise FrameRefused("not_recording", _NOTHING_MISSING) from None

    async def hold(self, data: bytes) -> tuple[frames.Frame, int]:
        """Save a frame. Return it, and how many bytes are saved without a gap.

        It costs one round trip to Redis, shared with other frames.

        Raises:
            FrameRefused: see docs/candidate-socket.md, "Errors".
            TakenOver: another connection writes.
            redis.RedisError: it is unknown whether the frame was saved.
        """
        try:
            frame = frames.unpack(data)
        except frames.BadFrame as error:
            raise FrameRefused("bad_frame", str(error)) from error
        write = await self._write(frame)
        match write.outcome:
            case Outcome.GAP:
                detail = f"Bytes are missing: send again from {write.held_bytes}."
                raise FrameRefused("gap", detail, offset=write.held_bytes)
            case Outcome.OVER_LIMIT:
                detail = f"The answer may have {self.limit_bytes} bytes of audio."
                raise FrameRefused("over_limit", detail, offset=write.held_bytes)
            case Outcome.FULL:
                self._ask_to_move()
                detail = f"Wait a second, then send again from {write.held_bytes}."
                raise FrameRefused("slow_down", detail, offset=write.held_bytes)
            case Outcome.TAKEN_OVER:
                raise TakenOver
        if write.is_segment_due:
            self._ask_to_move()
        return frame, write.held_bytes

    async def _write(self, frame: frames.Frame) -> Write:
        write = await self._append(frame)
        if write.outcome is not Outcome.UNOPENED:
            return write
        await self._open_again()
        return await self._append(frame)

    async def _append(self, frame: frames.Frame) -> Write:
        return await buffer.write(self.recording_id, writer=self._writer, offset=frame.offset, pcm=frame.pcm)

    async def _open_again(self) -> None:
        """Open again after Redis lost its data: the row knows how much is in object storage."""
        found = await in_thread(Recording.objects.filter(pk=self.recording_id).first)()
        if found is None or found.status not in storage.GROWING:
            raise FrameRefused("not_recording", _NOTHING_MISSING)
        self._recording = found
        await self.open()

    def _ask_to_move(self) -> None:
        """Queue the move of a segment to object storage, without waiting for it."""
        if time.monotonic() - self._asked_at >= MOVE_AGAIN_S:
            self._asked_at = time.monotonic()
            self._asking = asyncio.create_task(asyncio.to_thread(queueing.queue_moving, self.recording_id))
