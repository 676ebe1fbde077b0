"""Lists in pages that stay true while rows come and go: a cursor says after which row the next page begins.

    @router.get("/interviews", response={200: list[schemas.InterviewOut], **scoping.ERRORS})
    @paginate(pages.Pages)                              # newest or oldest first, by `created_at`
    @paginate(pages.Pages, by=("requested_at",))        # by another column, also of another table
    @paginate(pages.InOrder, by=("position",))          # in the only order that makes sense

The answer is {items, next}. No page is counted: that would cost more than the page.
"""

import base64
import json
from collections.abc import Sequence
from functools import reduce
from typing import Any, Final, Literal

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from ninja import Field, Schema
from ninja.pagination import PaginationBase

from interviews.actions.errors import BadValue

MOST = 100
LONGEST_CURSOR = 500
OLDEST: Final = "oldest"
NEWEST: Final = "newest"


class InOrder(PaginationBase):
    """Pages in ascending order of `by`; the id decides between equals."""

    class Input(Schema):
        limit: int = Field(50, ge=1, le=MOST)
        cursor: str = Field("", max_length=LONGEST_CURSOR, description="`next` of the page before.")

    class Output(Schema):
        items: list[Any]
        next: str | None = Field(description="The cursor of the next page; null: this is the last one.")

    def __init__(self, *, by: Sequence[str] = ("created_at",), **options: Any) -> None:
        super().__init__(**options)
        self._columns = (*by, "pk")

    def paginate_queryset(
        self, queryset: QuerySet, pagination: Any, request: HttpRequest, **params: Any
    ) -> dict[str, Any]:
        order = getattr(pagination, "order", OLDEST)
        sign = "-" if order == NEWEST else ""
        rows = queryset.order_by(*(f"{sign}{column}" for column in self._columns))
        if pagination.cursor:
            rows = rows.filter(self._behind(pagination.cursor, order, rows))
        found = list(rows[: pagination.limit + 1])
        items = found[: pagination.limit]
        return {"items": items, "next": self._cursor(items[-1], order) if len(found) > len(items) else None}

    def _cursor(self, row: Any, order: str) -> str:
        """Return where a page ended: the list, its order, and the last row's values."""
        values = [str(_value(row, column)) for column in self._columns]
        told = json.dumps([type(row).__name__, order, *values], separators=(",", ":"))
        return base64.urlsafe_b64encode(told.encode()).decode().rstrip("=")

    def _behind(self, cursor: str, order: str, rows: QuerySet) -> Q:
        """Return the condition of all rows behind a cursor. Raises BadValue: it is not one of this list."""
        try:
            padded = cursor + "=" * (-len(cursor) % 4)
            kind, had_order, *told = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
            if (kind, had_order) != (rows.model.__name__, order):
                raise ValueError("of another list")
            values = [
                _field(rows, column).to_python(value)
                for column, value in zip(self._columns, told, strict=True)
            ]
        except (ValueError, TypeError, ValidationError):
            raise BadValue(
                "cursor: send `next` of the page before, with the same filters and order."
            ) from None
        return _after(self._columns, values, "lt" if order == NEWEST else "gt")


class Pages(InOrder):
    """Pages of what comes over time: the newest first, or the oldest."""

    class Input(InOrder.Input):
        order: Literal["newest", "oldest"] = NEWEST


def _value(row: Any, column: str) -> Any:
    """Return the value of a column, also of another table, as `event__happened_at`."""
    return reduce(getattr, column.split("__"), row)


def _field(rows: QuerySet, column: str) -> Any:
    *tables, name = column.split("__")
    model: Any = rows.model
    for table in tables:
        model = model._meta.get_field(table).related_model  # noqa: SLF001  a documented name
    options = model._meta  # noqa: SLF001
    return options.pk if name == "pk" else options.get_field(name)


def _after(columns: Sequence[str], values: Sequence[Any], side: str) -> Q:
    """Return `(a, b, …) > (x, y, …)`, written so that an index of the first column is used."""
    condition = Q()
    for place, (column, value) in enumerate(zip(columns, values, strict=True)):
        equal = dict(zip(columns[:place], values[:place], strict=True))
        condition |= Q(**equal, **{f"{column}__{side}": value})
    return Q(**{f"{columns[0]}__{side}e": values[0]}) & condition
