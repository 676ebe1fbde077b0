"""The only place where a status changes: compare-and-set against the table of transitions."""

import logging
from functools import cache, partial

from django.db import transaction

from interviews.actions import metrics
from interviews.actions.errors import WrongState
from interviews.models import Answer, Interview, Invitation, Session
from interviews.states import Transition
from voice.infra import sql

logger = logging.getLogger(__name__)

Row = Answer | Interview | Invitation | Session


def move(row: Row, transition: Transition, *, by: object, **changes: object) -> None:
    """Change the status and set `changes`, if the row still has one of the transition's source statuses.

    Raises WrongState, with nothing written, if it has not. Once committed, the change is counted, and logged
    with its actor.
    """
    kind = type(row).__name__.lower()
    values = (getattr(value, "pk", value) for value in changes.values())
    update = _update(type(row), *changes)
    if not sql.change(update, transition.target, *values, row.pk, list(transition.sources)):
        row.status = _status_now(row)
        raise WrongState(f"{kind} is {row.status}: it cannot become {transition.target}.")
    row.status = transition.target
    for field, value in changes.items():
        setattr(row, field, value)
    actor = getattr(by, "pk", by)
    transaction.on_commit(partial(_tell, kind, row.pk, transition.target, actor))


def _tell(kind: str, row_id: object, status: str, actor: object) -> None:
    metrics.STATUS_CHANGES.labels(kind, status).inc()
    logger.info("%s %s is now %s by %s", kind, row_id, status, actor)


def _status_now(row: Row) -> str:
    found = type(row).objects.filter(pk=row.pk).values_list("status", flat=True).first()
    return found or "erased"


@cache
def _update(model: type[Row], *fields: str) -> str:
    table = model._meta  # noqa: SLF001  a documented name
    columns = {field.name: field.column for field in table.concrete_fields}
    assignments = ", ".join(f"{columns[name]} = %s" for name in ("status", *fields))
    return f"UPDATE {table.db_table} SET {assignments} WHERE id = %s AND status = ANY(%s)"  # noqa: S608
