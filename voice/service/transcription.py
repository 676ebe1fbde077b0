"""Speech to text for a caller who waits.

async with transcription.transcribe(TranscriptionRequest.checked(language="en"), file, caller) as call:
    async for part in call.parts():
        part.meta["segments"]                        # as soon as they are final
call.result["text"]
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict

from django.conf import settings

from voice.callers import Caller, tenant_of
from voice.capacity.upload_limits import check_size
from voice.errors import RequestRefused
from voice.queues import calls, pools
from voice.queues.calls import Call
from voice.service.requests import TranscriptionRequest

QUEUE = "stt-call"
"""Behind `stt` and `stt-partial`, where the answers of interviews wait; before `stt-batch`."""
CAPTION_QUEUE = "stt-call-partial"
"""Behind `QUEUE`: no final of a caller waits for captions."""


@asynccontextmanager
async def transcribe(
    request: TranscriptionRequest,
    audio: bytes,
    caller: Caller,
    *,
    is_pcm: bool = False,
    is_utterance: bool = False,
) -> AsyncIterator[Call]:
    """Let a worker transcribe `audio`; leaving the block early lets it drop the work.

    audio: a file in any usual format, or s16le, mono, 16 000 Hz with `is_pcm`.
    is_utterance: it is speech throughout, at most 30 s; the worker need not look for it.
    The call's parts carry `segments`; its result is `voice.text.transcripts.recognition_fields`.

    Raises:
        RequestRefused: no audio, or more than the limit.
        Busy: too much waits already.
    """
    check_size(len(audio))
    request_fields = {"kind": "hear", "transcription": asdict(request), "is_pcm": is_pcm}
    request_fields["is_utterance"] = is_utterance
    limit = settings.PARTIAL_QUEUE_LIMIT if request.is_partial else settings.VOICE["QUEUE_LIMIT"]
    queue_name = CAPTION_QUEUE if request.is_partial else QUEUE
    whose, needs = tenant_of(caller), pools.language(request.language)
    async with calls.submitted(
        queue_name, request_fields, audio=audio, queue_limit=limit, tenant=whose, needs=needs
    ) as call:
        yield call


def check_diarization(request: TranscriptionRequest) -> None:
    """Refuse speaker diarization if it is not configured.

    Raises:
        RequestRefused: it is requested and no models are configured.
    """
    names = ("DIARIZATION_SEGMENTATION_MODEL", "DIARIZATION_EMBEDDING_MODEL")
    if request.is_diarized and not all(settings.VOICE.get(name) for name in names):
        detail = f"speakers cannot be told apart here; the operator must set {' and '.join(names)}."
        raise RequestRefused("diarize", detail)
