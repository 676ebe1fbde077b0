"""The one place where a status changes: compare-and-set against the table of transitions."""

import logging

from interviews.actions.errors import WrongState
from interviews.models import Answer, Invitation, Session
from interviews.states import Transition

logger = logging.getLogger(__name__)


def move(
    row: Answer | Invitation | Session, transition: Transition, *, by: object, **changes: object
) -> None:
    """Make the transition and set `changes` with it, if the row still has one of its source statuses.

    Raises WrongState, with nothing written, if it has not. Logs who moved what, by id.
    """
    kind = type(row).__name__.lower()
    rows = type(row).objects.filter(pk=row.pk, status__in=transition.sources)
    if not rows.update(status=transition.target, **changes):
        row.refresh_from_db(fields=["status"])
        raise WrongState(f"{kind} is {row.status}: it cannot become {transition.target}.")
    row.status = transition.target
    for field, value in changes.items():
        setattr(row, field, value)
    actor = getattr(by, "pk", by)
    logger.info("%s %s is now %s by %s", kind, row.pk, transition.target, actor)
