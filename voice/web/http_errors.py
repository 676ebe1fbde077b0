"""Map errors of the speech service to HTTP: status, field, time to retry."""

import math
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import JsonResponse
from django.http.multipartparser import MultiPartParserError

from voice.errors import RequestRefused, VoiceError
from voice.infra import correlation
from voice.web import problems

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
"""HTTP statuses by the code of an error; any other code is our own fault, 500."""
FIELDS: Final = {"audio_rejected": "file", "text_rejected": "text", "language_unsupported": "language"}
"""The rejected field, if the error does not name it."""
UNAVAILABLE_RETRY_S = 30
BOUNDS = (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent, MultiPartParserError)
"""Errors that Django raises for a body that it does not read to the end."""


def as_problem(status: int, code: str, detail: str, **extra: Any) -> JsonResponse:
    """Return an error as a problem document, which names the request."""
    told = problems.problem(status, code, detail, request_id=correlation.request_id(), **extra)
    return JsonResponse(told, status=status, content_type=problems.CONTENT_TYPE)


def unreadable(error: Exception) -> RequestRefused:
    """Return why a body was not read to its end."""
    if isinstance(error, MultiPartParserError):
        return RequestRefused("body", "it is no complete form; send multipart/form-data.")
    limit_mb = settings.DATA_UPLOAD_MAX_MEMORY_SIZE / 1024**2
    detail = f"send at most {limit_mb:g} MB besides files, and fewer fields."
    return RequestRefused("body", detail, code="too_large")


def status_of(error: VoiceError) -> int:
    """Return the HTTP status of the error."""
    return STATUS.get(error.code, 500)


def field_of(error: VoiceError) -> str:
    """Return the field at fault; empty if there is none."""
    return getattr(error, "field", "") or FIELDS.get(error.code, "")


def retry_after_s(error: VoiceError) -> int | None:
    """Return when to retry, in whole seconds; None if a retry does not help."""
    if status_of(error) not in (429, 503):
        return None
    return max(1, math.ceil(getattr(error, "retry_after_s", UNAVAILABLE_RETRY_S)))
