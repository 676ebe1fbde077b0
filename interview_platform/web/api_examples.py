"""Examples of what the API is sent and answers, made from its description: none can be forgotten or grow old.

A property has the value that stands here under its name, else one that its schema allows. A test checks that
every example is as described.
"""

from collections.abc import Mapping
from typing import Any, Final

Described = dict[str, Any]
SOME_ID: Final = "0197f3a2-8c1e-7b39-9d2f-3e1a5c7b9d10"
PAST, FUTURE = "2026-11-30T09:30:00Z", "2033-03-01T17:00:00Z"
FUTURE_NAMES: Final = ("expires_at", "deadline")
VALUES: Final[Mapping[str, Any]] = {
    "against": 1,
    "answer_limit_seconds": 120,
    "answered": 2,
    "candidate_email": "ada@example.com",
    "candidate_name": "Ada Example",
    "code": "bad_value",
    "competencies": ["communication"],
    "consent_text": "We record your answers and keep them for 90 days.",
    "contact_email": "hiring@example.com",
    "contact_name": "Grace Example",
    "detail": "candidate_name: Field required.",
    "duration_s": 41.5,
    "external_id": "application-4711",
    "field": "candidate_name",
    "job_title": "Backend engineer",
    "label": "Title",
    "language": "en",
    "levels": ["names no situation", "describes a situation", "says what they did and why"],
    "meaning": "Whether they can say what they did themselves.",
    "metadata": {"stage": "phone-screen"},
    "name": "Ownership",
    "next": "WyJJbnRlcnZpZXciLCJuZXdlc3QiXQ",
    "position": 1,
    "pointer": "#/candidate_name",
    "published_version": 3,
    "question": "What did you build last?",
    "reason": "as agreed by telephone",
    "request_id": "3c6f1b0a9d2e4f58a7b1c0d9e8f76543",
    "retention_days": 90,
    "scripted_follow_ups": ["What would you do again?"],
    "tags": ["backend", "Python"],
    "text": "What did you build last?",
    "think_seconds": 30,
    "title": "Backend engineer, first interview",
    "total": 5,
    "url": "https://interviews.example.com/i/Qm9vay1vZi1leGFtcGxlcy1B/",
}


def add(described: Described, operation: Described) -> None:
    """Add an example to what an operation is sent, and to what it answers on success."""
    bodies = [operation["requestBody"]] if "requestBody" in operation else []
    answers = [answer for status, answer in operation["responses"].items() if int(status) < 300]
    for part in (*bodies, *answers):
        for content in part.get("content", {}).values():
            content["example"] = example(content["schema"], described)


def example(schema: Described, described: Described, name: str = "") -> Any:
    """Return a value that `schema` allows. name: of the property that it is."""
    if "$ref" in schema:
        return example(described["components"]["schemas"][schema["$ref"].rpartition("/")[2]], described)
    if options := schema.get("anyOf"):
        return example({**options[0], **{k: v for k, v in schema.items() if k != "anyOf"}}, described, name)
    if "enum" in schema or "const" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    if schema.get("type") == "object":
        return _object(schema, described) if "properties" in schema else VALUES.get(name, {})
    known = VALUES.get(name)
    if schema.get("type") == "array":
        is_known = isinstance(known, list) and schema["items"].get("type") == "string"
        return known if is_known else [example(schema["items"], described)]
    return known if known is not None and isinstance(known, PYTHON[schema["type"]]) else _plain(schema, name)


PYTHON: Final[Mapping[str, Any]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}


def _object(schema: Described, described: Described) -> Described:
    """Return an object without what is null unless it is sent, and is not known here."""
    parts = schema["properties"].items()
    return {
        name: example(part, described, name)
        for name, part in parts
        if name in schema.get("required", ()) or part.get("default", name) is not None or name in VALUES
    }


def _plain(schema: Described, name: str) -> Any:
    if "default" in schema and schema["default"] is not None:
        return schema["default"]
    formats = {"uuid": SOME_ID, "date-time": FUTURE if name in FUTURE_NAMES else PAST, "date": PAST[:10]}
    if schema["type"] == "string":
        return formats.get(schema.get("format", ""), "")
    return {"integer": schema.get("minimum", 1), "number": 0.5, "boolean": False}.get(schema["type"])
