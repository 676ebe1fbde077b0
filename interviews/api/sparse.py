"""Sparse fields: `?fields=id,status` leaves all other fields out of an answer.

`told` reads the parameter before the operation runs. `SparseRenderer` leaves the fields out when the answer
is written. It keeps the whole of it beside, for the ETag is of the resource, whichever fields are read.
"""

import json
from collections.abc import Callable
from functools import wraps
from inspect import unwrap
from typing import Any, Final, get_args

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from ninja.operation import Operation
from ninja.renderers import JSONRenderer
from pydantic import BaseModel

from interviews.actions.errors import BadValue

PARAMETER: Final = "fields"
ITEMS: Final = "items"


def names_of(operation: Operation) -> list[str]:
    """Return the fields of what an operation answers; for a list, those of an item."""
    model = operation.response_models.get(200)
    answer = model.__annotations__["response"] if isinstance(model, type) else None
    if not isinstance(answer, type) or not issubclass(answer, BaseModel):
        return []
    if ITEMS in answer.model_fields:
        [answer] = get_args(answer.model_fields[ITEMS].annotation)
    return list(answer.model_fields)


def told(run: Callable[..., Any]) -> Callable[..., Any]:
    """Note which fields a GET wants. Refuses those that there are not."""
    operation: Operation = unwrap(run).__self__
    names = names_of(operation) if operation.methods == ["GET"] else []
    if not names:
        return run

    @wraps(run)
    def call(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        wanted = [name for name in request.GET.get(PARAMETER, "").split(",") if name]
        if unknown := sorted(set(wanted).difference(names)):
            refusal = BadValue(f"{PARAMETER}: there is no {unknown[0][:40]}. There are {', '.join(names)}.")
            return operation.api.on_exception(request, refusal)
        request.wanted_fields = set(wanted)  # type: ignore[attr-defined]
        return run(request, *args, **kwargs)

    return call


class SparseRenderer(JSONRenderer):
    """JSON with the fields that a request wants."""

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> str:
        """Return the body. Where fields are left out, `request.whole` has all of it."""
        whole = json.dumps(data, cls=self.encoder_class)
        wanted = getattr(request, "wanted_fields", None)
        if not wanted or response_status != 200:
            return whole
        request.whole = whole.encode()  # type: ignore[attr-defined]
        if ITEMS in data:
            told = data | {ITEMS: [_only(item, wanted) for item in data[ITEMS]]}
        else:
            told = _only(data, wanted)
        return json.dumps(told, cls=self.encoder_class)


def _only(item: dict[str, Any], wanted: set[str]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name in wanted}
