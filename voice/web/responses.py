"""Audio as HTTP responses, for all addresses of the speech service.

router.add_decorator(intake.with_allowance, mode="view")   # RateLimit-* on every answer
await intake.admit(request, caller)                        # after authentication, before any work
return await responses.speech(SpeechRequest.checked(…), caller)
"""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from voice.callers import Caller
from voice.capacity import upload_limits
from voice.queues.calls import Part
from voice.service import conversion, synthesis
from voice.service.requests import FORMATS, ConversionRequest, SpeechRequest


async def speech(request: SpeechRequest, caller: Caller) -> HttpResponseBase:
    """Return audio, streamed from the first sentence on unless it is cached.

    Raises:
        VoiceError: before the first sentence; after that the stream breaks off.
    """
    wanted = await synthesis.checked(request, caller)
    spoken = await synthesis.synthesize(wanted, caller)
    parts = spoken.parts()
    first = await anext(parts)
    content_type = FORMATS[request.format]
    if spoken.is_cached:
        response: HttpResponseBase = HttpResponse(first.body, content_type=content_type)
        response["X-Duration-Ms"] = str(spoken.result["duration_ms"])
        response["X-Voice"] = spoken.result["voice"]
    else:
        response = StreamingHttpResponse(bodies(first, parts), content_type=content_type)
        response["X-Voice"] = first.meta.get("voice") or wanted.voice
    response["X-Cached"] = "true" if spoken.is_cached else "false"
    response["Cache-Control"] = "no-store"
    return response


async def converted(request: ConversionRequest, file: bytes) -> HttpResponse:
    """Return the converted file.

    Raises:
        VoiceError: it cannot be read, or no worker converts it in time.
    """
    async with conversion.convert(request, file) as call:
        body = b"".join([part.body async for part in call.parts()])
    response = HttpResponse(body, content_type=FORMATS[request.format])
    response["X-Source"] = as_header(call.result["source"])
    response["X-Duration-Ms"] = str(call.result["duration_ms"])
    response["Cache-Control"] = "no-store"
    return response


async def bodies(first: Part, parts: AsyncIterator[Part]) -> AsyncIterator[bytes]:
    """Yield the audio of all parts; a codec may have no output yet for a short one."""
    if first.body:
        yield first.body
    async for part in parts:
        if part.body:
            yield part.body


async def audio_of(file: UploadedFile) -> bytes:
    """Return the whole upload.

    Raises:
        RequestRefused: empty or too large; nothing was read.
    """
    upload_limits.check_size(file.size or 0)
    return await asyncio.to_thread(file.read)


def as_header(value: Any) -> str:
    """Return JSON that fits into a header: ASCII, on one line."""
    return json.dumps(value, ensure_ascii=True)
