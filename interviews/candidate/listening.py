"""Listening to an answer while it is spoken: turns and captions."""

from collections.abc import Awaitable, Callable
from functools import partial
from uuid import UUID

import redis

from interviews.candidate.turn_taking import turn_settings
from interviews.models import Answer
from voice.live import listener as live_listener
from voice.live.ahead import queue_ahead
from voice.live.caption_queue import queue_caption
from voice.live.listener import Heard, Listener
from voice.recordings import buffer

Tell = Callable[[dict], Awaitable[None]]


def listen_to(answer: Answer, *, offset: int, tell: Tell, reply_to: str) -> Listener:
    """Listen to the answer's recording from byte `offset` on.

    tell: gets each turn event as a message. reply_to: the channel that `voice.partial` goes to.
    """
    recording = answer.current_recording

    async def noticed(event: Heard) -> None:
        await tell(live_listener.message(event))

    return Listener(
        f"recording {recording.id}",
        noticed=noticed,
        request_caption=partial(
            queue_caption,
            recording_id=recording.id,
            language=recording.language,
            reply_to=reply_to,
            tenant=recording.owner,
        ),
        read=partial(_read, recording.id),
        paused=partial(
            queue_ahead, recording_id=recording.id, language=recording.language, tenant=recording.owner
        ),
        turn_settings=turn_settings(answer.session.agreed, answer.session.invitation.accommodation),
        offset=offset,
    )


def _read(recording_id: UUID, start: int, end: int) -> bytes:
    """Bytes [start, end) of the recording; none while Redis is away."""
    try:
        return buffer.read(recording_id, start, end)
    except redis.RedisError:
        return b""
