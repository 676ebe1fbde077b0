"""Errors of the APIs as problem documents. Source: RFC 9457, Problem Details for HTTP APIs.

Pure: the web server also writes them before a request reaches Django.
"""

from typing import Any, Final

CONTENT_TYPE: Final = "application/problem+json"
TYPES: Final = "/api/problems/"
"""The `type` of a problem is this address with its code behind it; there stands what to do."""

PROBLEMS: Final = {
    "bad_request": "The request is not complete JSON, or a header has no form that is known.",
    "bad_value": "A value is not allowed. `errors` names each, `field` the first.",
    "too_large": "The body is larger than this address takes.",
    "unauthenticated": "There is no valid API key with the request. It is wrong, revoked or has ended.",
    "forbidden": "The API key is valid, but not for this (see `scope`), or not from your network.",
    "not_found": "There is no such address, or your organisation has no such row.",
    "method_not_allowed": "The address knows other methods; `Allow` lists them.",
    "wrong_state": "The status of the row does not allow this. Read it again and decide anew.",
    "refused": "The action is not possible now and changed nothing.",
    "changed_meanwhile": "The row is not as you read it. Read it again, and send your change anew.",
    "condition_needed": "Send If-Match with the ETag of the row that you read: two may change it at once.",
    "under_way": "A request with this Idempotency-Key is being carried out. Ask again after `Retry-After`.",
    "key_reused": "This Idempotency-Key was used for another request. Take a new one for each.",
    "answer_erased": "The request was carried out; its answer named a candidate who was erased since.",
    "test_key": "A key for tests changes nothing but test invitations.",
    "taken": "Another row of your organisation has this value already.",
    "audio_missing": "Part of the audio has not arrived. Send it again from `offset` on.",
    "not_yours": "The row belongs to somebody else, or does not exist.",
    "rate_limited": "Too many requests. Ask again after `Retry-After`.",
    "busy": "Too much is to do. Ask again after `Retry-After`.",
    "timeout": "The work took longer than a request may take.",
    "engine_unavailable": "No engine can do this now. Ask again after `Retry-After`.",
    "language_unsupported": "No engine of this service speaks or recognises the language.",
    "model_missing": "The model that was asked for by name is not there.",
    "consent_missing": "A voice is copied only with the consent of the person whose voice it is.",
    "audio_rejected": "The audio cannot be read, or not be used. The same bytes fail again.",
    "text_rejected": "The text cannot be spoken.",
    "file_waiting": "The file was not recognised yet. Ask again later.",
    "file_failed": "The file could not be recognised; `detail` says why.",
    "voice_error": "The speech service failed.",
    "internal_error": "Something failed on our side. Ask again. The operator finds it by `request_id`.",
}
"""What to do about each problem, by its code. A code is part of the API: never change one."""


def problem(status: int, code: str, detail: str, *, request_id: str = "", **extra: Any) -> dict[str, Any]:
    """Return a problem document: what happened (`detail`), and its kind (`code`, and `type` for RFC 9457).

    request_id: of the request, by which operators find it in the log; "": none is known yet.
    """
    told = {
        "type": f"{TYPES}{code}",
        "title": title(code),
        "status": status,
        "detail": detail,
        "code": code,
    }
    return told | ({"request_id": request_id} if request_id else {}) | extra


def title(code: str) -> str:
    """Return the short name of a problem; it is the same each time."""
    return code.replace("_", " ").capitalize()
