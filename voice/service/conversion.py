"""Convert an audio file while the caller waits.

async with conversion.convert(ConversionRequest.checked(format="mp3", trim=True), file, caller) as call:
    async for part in call.parts(is_only_reader=True):
        part.meta                                    # of the first part: descriptions of both files
        part.body                                    # of the new file
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict

from django.conf import settings

from voice.callers import Caller, tenant_of
from voice.capacity import upload_limits
from voice.queues import calls
from voice.queues.calls import Call
from voice.service.requests import ConversionRequest

QUEUE = "audio"
"""A queue of its own: storing recordings neither waits for a conversion nor ends with its worker."""


@asynccontextmanager
async def convert(request: ConversionRequest, file: bytes, caller: Caller) -> AsyncIterator[Call]:
    """Let a worker convert an audio file; leaving the block early lets it drop the work.

    The meta of the first part and the result have `source` (`voice.audio.processing.AudioDescription`),
    `duration_ms`, `size_bytes` and `skipped_frames`.

    Raises:
        RequestRefused: no audio, or more than the limit.
        Busy: too much waits already.
    """
    upload_limits.check_size(len(file))
    fields = {"kind": "convert", "conversion": asdict(request)}
    limit = settings.VOICE["QUEUE_LIMIT"]
    async with calls.submitted(
        QUEUE, fields, audio=file, queue_limit=limit, tenant=tenant_of(caller)
    ) as call:
        yield call
