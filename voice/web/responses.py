"""Audio as HTTP responses, for all addresses of the speech service.

router.add_decorator(intake.with_allowance, mode="view")   # RateLimit-* on every answer
await intake.admit(request, caller)                        # after authentication, before any work
return await responses.speech(SpeechRequest.checked(…), caller)
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from voice.callers import Caller, tenant_of
from voice.capacity import upload_limits
from voice.queues.calls import Part
from voice.service import conversion, synthesis
from voice.service.requests import FORMATS, ConversionRequest, SpeechRequest
from voice.web import ranges


async def speech(request: SpeechRequest, caller: Caller) -> HttpResponseBase:
    """Return audio, streamed from the first sentence on unless it is cached.

    Raises:
        VoiceError: before the first sentence; after that the stream breaks off.
    """
    wanted = await synthesis.checked(request, caller)
    spoken = await synthesis.synthesize(wanted, tenant=tenant_of(caller))
    parts = spoken.parts()
    first = await anext(parts)
    content_type = FORMATS[request.format]
    if spoken.is_cached:
        return _described(HttpResponse(first.body, content_type=content_type), spoken)
    response = StreamingHttpResponse(bodies(first, parts), content_type=content_type)
    response["X-Voice"] = first.meta.get("voice") or wanted.voice
    response["X-Cached"] = "false"
    response["Cache-Control"] = "no-store"
    return response


async def whole_sample(http: HttpRequest, request: SpeechRequest, caller: Caller) -> HttpResponse:
    """Return a complete file of a text that everybody knows, or the part that the Range header requests.

    Raises:
        VoiceError: it cannot be synthesised.
    """
    wanted = await synthesis.checked(request, caller)
    spoken = await synthesis.synthesize(wanted, tenant="", is_whole=True)
    file = ContentFile(b"".join([part.body async for part in spoken.parts()]))
    return _described(ranges.response(http, file, content_type=FORMATS[request.format]), spoken)


def _described(response: HttpResponse, spoken: synthesis.Speech) -> HttpResponse:
    """Add what is known of speech that is complete."""
    response["X-Duration-Ms"] = str(spoken.result["duration_ms"])
    response["X-Voice"] = spoken.result["voice"]
    response["X-Cached"] = "true" if spoken.is_cached else "false"
    response["Cache-Control"] = "no-store"
    return response


async def converted(request: ConversionRequest, file: bytes, caller: Caller) -> StreamingHttpResponse:
    """Return the converted file, which the worker sends on as the client reads it.

    Raises:
        VoiceError: it cannot be read, or no worker converts it in time.
    """
    async with AsyncExitStack() as leaving:
        call = await leaving.enter_async_context(conversion.convert(request, file, caller))
        parts = call.parts(is_only_reader=True)
        first = await anext(parts)
        kept = leaving.pop_all()
    body = _until_read(bodies(first, parts), kept)
    response = StreamingHttpResponse(body, content_type=FORMATS[request.format])
    response["Content-Length"] = str(first.meta["size_bytes"])
    response["X-Source"] = as_header(first.meta["source"])
    response["X-Duration-Ms"] = str(first.meta["duration_ms"])
    response["X-Skipped-Frames"] = str(first.meta["skipped_frames"])
    response["Cache-Control"] = "no-store"
    return response


async def _until_read(pieces: AsyncIterator[bytes], leaving: AsyncExitStack) -> AsyncIterator[bytes]:
    async with leaving:
        async for piece in pieces:
            yield piece


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
