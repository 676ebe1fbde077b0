"""What all HTTP addresses of the speech service share: admission, errors by status, and audio as an answer.

router.add_decorator(rest.with_allowance, mode="view")   # RateLimit-* on every answer
await rest.admit(request, caller)                        # by whoever finds the caller, before any work
return await rest.speech(SpeechRequest.checked(…), caller)
"""

import asyncio
import json
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import wraps
from typing import Any, Final, cast

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.multipartparser import MultiPartParserError
from django.http.response import HttpResponseBase

from voice.callers import Caller
from voice.capacity import rate_limits
from voice.capacity.rate_limits import Allowance
from voice.errors import RateLimited, RequestRefused, VoiceError
from voice.queues.calls import Part
from voice.service import conversion, synthesis, transcription
from voice.service.requests import FORMATS, ConversionRequest, SpeechRequest

STATUS: Final = {
    "bad_value": 422,
    "too_large": 413,
    "audio_rejected": 422,
    "text_rejected": 422,
    "language_unsupported": 422,
    "consent_missing": 422,
    "unauthenticated": 401,
    "forbidden": 403,
    "not_found": 404,
    "rate_limited": 429,
    "busy": 503,
    "engine_unavailable": 503,
    "timeout": 504,
}
"""HTTP statuses by the code of an error; all others are our fault, 500."""
FIELDS: Final = {"audio_rejected": "file", "text_rejected": "text", "language_unsupported": "language"}
"""What an engine refused, where the error does not say it."""
UNAVAILABLE_RETRY_S = 30
BOUNDS = (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent, MultiPartParserError)
"""What Django raises of a body that it does not read to the end."""

View = Callable[..., Awaitable[HttpResponseBase]]


class VoiceHttpRequest(HttpRequest):
    """A request whose caller is known."""

    auth: Caller
    allowance: Allowance


async def admit(request: HttpRequest, caller: Caller) -> None:
    """Count the request, then read its form, in a thread: a large one would hold up everybody else.

    Raises:
        RateLimited: the caller asked too often.
        RequestRefused: the form cannot be read.
    """
    request = cast(VoiceHttpRequest, request)
    try:
        request.allowance = await rate_limits.take_request(caller)
    except RateLimited as error:
        limit = settings.VOICE["REQUESTS_PER_MINUTE"]
        request.allowance = Allowance(limit, 0, math.ceil(error.retry_after_s))
        raise
    if request.content_type == "multipart/form-data":
        await asyncio.to_thread(_read_form, request)


def _read_form(request: HttpRequest) -> None:
    try:
        _ = request.FILES
    except BOUNDS as error:
        raise unreadable(error) from error


def unreadable(error: Exception) -> RequestRefused:
    """Why a body was not read to its end."""
    if isinstance(error, MultiPartParserError):
        return RequestRefused("body", "it is no complete form; send multipart/form-data.")
    limit_mb = settings.DATA_UPLOAD_MAX_MEMORY_SIZE / 1024**2
    detail = f"send at most {limit_mb:g} MB besides files, and fewer fields."
    return RequestRefused("body", detail, code="too_large")


def with_allowance(view: View) -> View:
    """Let every answer of a view say what is left of the caller's requests."""

    @wraps(view)
    async def answer(request: VoiceHttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = await view(request, *args, **kwargs)
        if allowance := getattr(request, "allowance", None):
            for name, value in allowance.headers.items():
                response[name] = value
        return response

    return answer


def status_of(error: VoiceError) -> int:
    """The HTTP status that says the same."""
    return STATUS.get(error.code, 500)


def field_of(error: VoiceError) -> str:
    """The field that is to blame; empty if none is."""
    return getattr(error, "field", "") or FIELDS.get(error.code, "")


def retry_after_s(error: VoiceError) -> int | None:
    """When to ask again, in whole seconds; None where asking again is no use."""
    if status_of(error) not in (429, 503):
        return None
    return max(1, math.ceil(getattr(error, "retry_after_s", UNAVAILABLE_RETRY_S)))


async def speech(request: SpeechRequest, caller: Caller) -> HttpResponseBase:
    """Audio, streamed from the first sentence on unless it is there already.

    Raises:
        VoiceError: before the first sentence; after that the stream breaks off.
    """
    wanted = await synthesis.checked(request, caller)
    spoken = await synthesis.speak(wanted)
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
    """The new file.

    Raises:
        VoiceError: it cannot be read, or nobody converts it in time.
    """
    async with conversion.asked(request, file) as call:
        body = b"".join([part.body async for part in call.parts()])
    response = HttpResponse(body, content_type=FORMATS[request.format])
    response["X-Source"] = as_header(call.result["source"])
    response["X-Duration-Ms"] = str(call.result["duration_ms"])
    response["Cache-Control"] = "no-store"
    return response


async def bodies(first: Part, parts: AsyncIterator[Part]) -> AsyncIterator[bytes]:
    """The audio of all parts; codecs may have none yet for a short one."""
    if first.body:
        yield first.body
    async for part in parts:
        if part.body:
            yield part.body


async def audio_of(file: UploadedFile) -> bytes:
    """The whole upload.

    Raises:
        RequestRefused: empty or too large; nothing was read.
    """
    transcription.check_size(file.size or 0)
    return await asyncio.to_thread(file.read)


def as_header(value: Any) -> str:
    """JSON that fits into a header: ASCII, on one line."""
    return json.dumps(value, ensure_ascii=True)
