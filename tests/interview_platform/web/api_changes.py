"""What of a change of the API breaks programs that were written for it before. Pure: two descriptions in."""

from collections.abc import Iterator
from typing import Any

Described = dict[str, Any]
SENT, ANSWERED = "sent", "answered"
METHODS = ("get", "post", "put", "patch", "delete")
LOWER, UPPER = ("minimum", "minLength", "minItems"), ("maximum", "maxLength", "maxItems")


def breaking(before: Described, after: Described) -> list[str]:
    """Return each difference that breaks a program, as a sentence; empty if there is none."""
    return [
        f"{method.upper()} {path}: {problem}"
        for path, methods in before["paths"].items()
        for method, operation in methods.items()
        for problem in _operation(operation, after["paths"].get(path, {}).get(method), before, after)
    ]


def _operation(was: Described, now: Described | None, before: Described, after: Described) -> Iterator[str]:
    if now is None:
        yield "is gone"
        return
    if was["operationId"] != now["operationId"]:
        yield f"its id was {was['operationId']}: generated clients call it so"
    if was["security"] != now["security"]:
        yield "it needs another scope"
    yield from _parameters(was, now, before, after)
    yield from _body(was.get("requestBody"), now.get("requestBody"), before, after)
    for status, answer in was["responses"].items():
        if int(status) >= 300:
            continue
        if status not in now["responses"]:
            yield f"it answers {status} no more"
            continue
        for kind, content in answer.get("content", {}).items():
            told = now["responses"][status].get("content", {}).get(kind)
            if told is None:
                yield f"it answers no {kind} any more"
            else:
                yield from _schema(content["schema"], told["schema"], before, after, ANSWERED, "answer")


def _parameters(was: Described, now: Described, before: Described, after: Described) -> Iterator[str]:
    had = {(each["in"], each["name"]): each for each in was.get("parameters", ())}
    has = {(each["in"], each["name"]): each for each in now.get("parameters", ())}
    for key, each in had.items():
        if key not in has:
            yield f"the parameter {key[1]} is gone"
        else:
            yield from _schema(each["schema"], has[key]["schema"], before, after, SENT, key[1])
    for key, each in has.items():
        if each.get("required") and not had.get(key, {}).get("required"):
            yield f"the parameter {key[1]} is required now"


def _body(was: Described | None, now: Described | None, before: Described, after: Described) -> Iterator[str]:
    if now and now.get("required") and not (was and was.get("required")):
        yield "a body is required now"
    for kind, content in (was or {}).get("content", {}).items():
        taken = (now or {}).get("content", {}).get(kind)
        if taken is None:
            yield f"it takes no {kind} any more"
        else:
            yield from _schema(content["schema"], taken["schema"], before, after, SENT, "body")


def _resolved(schema: Described, of: Described) -> Described:
    while "$ref" in schema:
        schema = of["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def _schema(
    was: Described, now: Described, before: Described, after: Described, side: str, at: str
) -> Iterator[str]:
    """Compare two schemas of what is sent or answered. at: where they stand, for people."""
    was, now = _resolved(was, before), _resolved(now, after)
    if was == now and "properties" not in was and "items" not in was and "anyOf" not in was:
        return
    if _types(was, before) != _types(now, after):
        lost = (
            _types(was, before) - _types(now, after)
            if side == SENT
            else _types(now, after) - _types(was, before)
        )
        if lost:
            yield f"{at}: its type is another one ({', '.join(sorted(lost))})"
            return
    if side == SENT:
        yield from _narrower(was, now, at)
    yield from _properties(was, now, before, after, side, at)
    for had, has in (
        (was.get("items"), now.get("items")),
        *zip(was.get("anyOf", ()), now.get("anyOf", ()), strict=False),
    ):
        if had and has:
            yield from _schema(had, has, before, after, side, f"{at}[]" if "items" in was else at)


def _types(schema: Described, of: Described) -> set[str]:
    options = [_resolved(each, of) for each in schema.get("anyOf", [schema])]
    return {str(each.get("type", "any")) for each in options}


def _narrower(was: Described, now: Described, at: str) -> Iterator[str]:
    """Yield what may be sent no more."""
    if "enum" in now and (gone := set(was.get("enum", ["any text"])) - set(now["enum"])):
        yield f"{at}: it takes {', '.join(map(str, sorted(gone)))} no more"
    for bound in LOWER:
        if now.get(bound, 0) > was.get(bound, 0):
            yield f"{at}: {bound} is {now[bound]} now"
    for bound in UPPER:
        if bound in now and now[bound] < was.get(bound, float("inf")):
            yield f"{at}: {bound} is {now[bound]} now"
    if "pattern" in now and now["pattern"] != was.get("pattern"):
        yield f"{at}: it must look like {now['pattern']} now"


def _properties(
    was: Described, now: Described, before: Described, after: Described, side: str, at: str
) -> Iterator[str]:
    had, has = was.get("properties", {}), now.get("properties", {})
    for name, schema in had.items():
        if name in has:
            yield from _schema(schema, has[name], before, after, side, f"{at}.{name}")
        elif side == ANSWERED or now.get("additionalProperties") is False:
            yield f"{at}.{name} is gone"
    required = set(now.get("required", ())), set(was.get("required", ()))
    if side == SENT:
        yield from (f"{at}.{name} is required now" for name in sorted(required[0] - required[1]))
    else:
        gone = sorted((required[1] - required[0]) & has.keys())
        yield from (f"{at}.{name} may be missing now" for name in gone)
