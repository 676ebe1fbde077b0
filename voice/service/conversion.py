"""Convert an audio file while the caller waits.

async with conversion.convert(ConversionRequest.checked(format="mp3", trim=True), file) as call:
    async for part in call.parts():
        part.body                                    # of the new file
call.result["source"]                                # a description of the old one
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict

from django.conf import settings

from voice.capacity import upload_limits
from voice.queues import calls
from voice.queues.calls import Call
from voice.service.requests import ConversionRequest


@asynccontextmanager
async def convert(request: ConversionRequest, file: bytes) -> AsyncIterator[Call]:
    """Let a worker convert an audio file; leaving the block early lets it drop the work.

    The result has `source` (`voice.audio.processing.AudioDescription`) and `duration_ms`.

    Raises:
        RequestRefused: no audio, or more than the limit.
        Busy: too much waits already.
    """
    upload_limits.check_size(len(file))
    fields = {"kind": "convert", "conversion": asdict(request)}
    limit = settings.VOICE["QUEUE_LIMIT"]
    async with calls.submitted("default", fields, audio=file, queue_limit=limit) as call:
        yield call
