"""What every operation shares, added to the description that Django Ninja makes of them (OpenAPI 3.1)."""

from collections.abc import Iterator
from typing import Any, Final

from interview_platform.web import api_examples, rest_keys
from interviews.api import idempotency, sparse
from voice.web import problems
from voice.web.scopes import IN_DESCRIPTION

Described = dict[str, Any]
INTERVIEWS, SPEECH, OPENAI = "/api/v1/", "/api/v1/voice/", "/v1/"
JSON: Final = "application/json"
CHANGES: Final = ("put", "patch")


def complete(described: Described) -> Described:
    """Add to a description what no operation says by itself, and return it."""
    for path, method, operation in operations(described):
        _tell_scope(operation)
        if not path.startswith(OPENAI):
            _tell_problems(operation)
        if path.startswith(INTERVIEWS) and not path.startswith(SPEECH):
            _tell_headers(operation, method)
            api_examples.add(described, operation)
    return described


def operations(described: Described) -> Iterator[tuple[str, str, Described]]:
    """Yield path, method and description of each operation."""
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def _tell_scope(operation: Described) -> None:
    """Turn what `needs` declared into the requirement of each key's security scheme."""
    scope = operation.pop(IN_DESCRIPTION)
    for requirement in operation["security"]:
        for scheme in requirement:
            requirement[scheme] = [] if scheme == rest_keys.StaffSession.__name__ else [scope]
    sentence = f"Needs a key with the scope `{scope}`."
    operation["description"] = "\n\n".join(filter(None, [operation.get("description"), sentence]))


def _tell_problems(operation: Described) -> None:
    for status, answer in operation["responses"].items():
        if int(status) >= 400 and JSON in answer.get("content", {}):
            answer["content"][problems.CONTENT_TYPE] = answer["content"].pop(JSON)


def _tell_headers(operation: Described, method: str) -> None:
    """Tell of Idempotency-Key, ETag, conditions and sparse fields."""
    parameters = operation.setdefault("parameters", [])
    if method == "post":
        parameters.append(IDEMPOTENCY_KEY)
        operation["responses"][_success(operation)]["headers"] = {idempotency.REPLAYED: REPLAYED}
    if method in CHANGES:
        parameters.append(IF_MATCH)
    if method == "get":
        parameters.append(IF_NONE_MATCH)
        parameters.append(FIELDS)
        operation["responses"][_success(operation)]["headers"] = {"ETag": ETAG}
        operation["responses"]["304"] = {"description": "You have it already.", "headers": {"ETag": ETAG}}


def _success(operation: Described) -> Any:
    return next(status for status in operation["responses"] if int(status) < 300)


def _header(name: str, description: str, **schema: Any) -> Described:
    told = {"type": "string", **schema}
    return {"name": name, "in": "header", "required": False, "description": description, "schema": told}


IDEMPOTENCY_KEY: Final = _header(
    idempotency.HEADER,
    "Yours, new for each request. Sent again within a day, it gets the same answer and does nothing twice.",
    minLength=1,
    maxLength=idempotency.LONGEST,
    pattern="^[!-~]([ -~]*[!-~])?$",
    examples=["0197f3a2-8c1e-7b39-9d2f-3e1a5c7b9d10"],
)
IF_MATCH: Final = _header("If-Match", "The ETag of the row as you read it; `*`: whatever is there.")
IF_NONE_MATCH: Final = _header("If-None-Match", "The ETag that you have: 304 if nothing has changed since.")
FIELDS: Final = {
    "name": sparse.PARAMETER,
    "in": "query",
    "required": False,
    "description": "Only these fields of each row, with commas between them, as `id,status`.",
    "schema": {"type": "string"},
}
ETAG: Final = {
    "description": "Of the row as it is now, for If-Match and If-None-Match.",
    "schema": {"type": "string"},
}
REPLAYED: Final = {
    "description": "`true`: it was carried out before; this is the answer of then.",
    "schema": {"type": "string", "enum": ["true"]},
}
