"""Which candidate and which organisation a row is about: each app declares it for its models, once.

subjects.declare(Session, parameters=["session_id"], candidate=F("invitation_id"), organisation="…")
"""

from collections.abc import Collection
from typing import Any, Final, NamedTuple

from django.contrib.postgres.aggregates import ArrayAgg
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db.models import F, Model, QuerySet, UUIDField, Value
from django.db.models.expressions import Combinable


class Subject(NamedTuple):
    """candidate: the expression of the candidate's id; None: the row is about candidates, not about one.

    organisation: the lookup from a row to its organisation's id. is_personal: its pages show candidates.
    """

    candidate: Combinable | None
    organisation: str
    is_personal: bool


_SUBJECTS: Final[dict[type[Model], Subject]] = {}
_PARAMETERS: Final[dict[str, type[Model]]] = {}


def declare(
    model: type[Model],
    *,
    organisation: str,
    candidate: Combinable | None = None,
    parameters: Collection[str] = (),
    is_personal: bool = True,
) -> None:
    """Declare what rows of a model are about. parameters: what addresses call the id of such a row."""
    _SUBJECTS[model] = Subject(candidate, organisation, is_personal)
    _PARAMETERS.update(dict.fromkeys(parameters, model))


def is_personal(model: type[Model]) -> bool:
    """Whether each page about rows of the model leaves an entry."""
    return model in _SUBJECTS and _SUBJECTS[model].is_personal


def named(parameters: dict[str, Any], model: type[Model] | None = None) -> QuerySet | None:
    """Return the row that an address names, whoever may see it; None if it names none that is declared.

    parameters: of the address; of several rows the one that was declared first counts, as an answer before
    its session. model: what `object_id` is about.
    """
    if model in _SUBJECTS and "object_id" in parameters:
        return one(model, parameters["object_id"])
    name = next((name for name in _PARAMETERS if name in parameters), None)
    return one(_PARAMETERS[name], parameters[name]) if name else None


def one(model: type[Model], key: Any) -> QuerySet | None:
    """Return the row with this key; None where the key cannot be one."""
    try:
        value = model._meta.pk.to_python(key)  # noqa: SLF001  a documented name
    except ValidationError:
        return None
    return model._base_manager.filter(pk=value)  # noqa: SLF001


def by_organisation(rows: QuerySet) -> QuerySet:
    """Return for each organisation of the rows its id, as `of`, and the ids of its candidates, as `them`."""
    subject = _SUBJECTS[rows.model]
    plain = rows.model._base_manager.filter(pk__in=rows.order_by().values("pk"))  # noqa: SLF001
    them = Value([], ArrayField(UUIDField()))
    grouped = plain.order_by().values(of=F(subject.organisation))
    if subject.candidate is None:
        return grouped.annotate(them=them).distinct()
    return grouped.annotate(them=ArrayAgg(subject.candidate, distinct=True))
