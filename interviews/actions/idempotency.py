"""Requests with an Idempotency-Key: carried out once, answered alike for a day.

    with transaction.atomic():
        answered = idempotency.begin(request)      # the answer of before; None: carry it out
        …
        idempotency.keep(request, status=201, body=body, now=now)

The answer is written in the transaction of the change itself. So a process that is killed leaves both or
neither, and a repeated request finds the answer or begins anew. While one runs it holds an advisory lock,
which ends with its transaction; a second one is told to wait instead of waiting.
"""

import hashlib
import re
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from django.db.models import QuerySet

from interviews import tokens
from interviews.actions.errors import ActionRefused
from interviews.models import AnsweredRequest
from voice.infra import sql

KEPT: Final = timedelta(hours=24)
AT_ONCE: Final = 1000
RETRY_S: Final = 1
_IDS = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class UnderWay(ActionRefused):
    """A request with this key is being carried out."""

    code = "under_way"


class KeyReused(ActionRefused):
    """The key belongs to another request."""

    code = "key_reused"


class AnswerErased(ActionRefused):
    """The answer named a candidate who was erased since."""

    code = "answer_erased"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came. api_key: the id of the API key; key: what its header says."""

    api_key: UUID
    key: str
    method: str
    address: str
    body: bytes

    @property
    def digest(self) -> str:
        """What finds it again."""
        return f"idempotency {self.api_key} {self.key}"

    @property
    def content(self) -> str:
        """What makes it another request under the same key."""
        return f"{self.method} {self.address} {hashlib.sha256(self.body).hexdigest()}"


class Answered(NamedTuple):
    """An answer that was given before. named: every id in it, and in the address of its request."""

    status: int
    body: bytes
    named: list[UUID]


def begin(asked: Asked) -> Answered | None:
    """Return the answer that the request had before; None: it is to be carried out now.

    Call it first in the transaction that carries it out.

    Raises:
        UnderWay: it is being carried out at this moment.
        KeyReused: the key was used for another request.
        AnswerErased: it was carried out, and its answer is gone.
    """
    if not sql.try_to_hold(asked.digest):
        raise UnderWay("A request with this Idempotency-Key is being carried out.", retry_after_s=RETRY_S)
    row = _known(asked).first()
    if row is None:
        return None
    if bytes(row.request) not in tokens.digests(asked.content):
        raise KeyReused("This Idempotency-Key was used for another request. Take a new one for each.")
    if row.answer is None:
        raise AnswerErased("The request was carried out. Its answer named a candidate who was erased since.")
    return Answered(row.status, tokens.decrypt(bytes(row.answer)).encode(), row.named)


def _known(asked: Asked) -> QuerySet[AnsweredRequest]:
    return AnsweredRequest.objects.filter(api_key=asked.api_key, digest__in=tokens.digests(asked.digest))


def keep(asked: Asked, *, status: int, body: bytes, now: datetime) -> None:
    """Keep the answer, in the transaction of the change."""
    text = body.decode()
    AnsweredRequest.objects.create(
        api_key=asked.api_key,
        digest=tokens.digest(asked.digest),
        request=tokens.digest(asked.content),
        status=status,
        answer=tokens.encrypt(text),
        named=sorted(set(_IDS.findall(f"{asked.address} {text}"))),
        answered_at=now,
    )


def forget_old(*, now: datetime) -> int:
    """Delete answers that are older than `KEPT`. Return how many."""
    old = AnsweredRequest.objects.filter(answered_at__lte=now - KEPT).order_by("answered_at")
    ids = list(old.values_list("pk", flat=True)[:AT_ONCE])
    AnsweredRequest.objects.filter(pk__in=ids).delete()
    return len(ids)


def about(invitation_id: UUID) -> QuerySet[AnsweredRequest]:
    """Return the requests whose answers are about a candidate."""
    return AnsweredRequest.objects.filter(named__contains=[invitation_id])


def take_back(invitation_id: UUID) -> None:
    """Empty the answers about a candidate. That the requests were carried out stays known for their day."""
    about(invitation_id).update(answer=None, named=[])


def rotate_keys() -> Counter[str]:
    """Write every answer anew with the newest of `TOKEN_KEYS`; return how many `written` and `unreadable`.

    The hashes stay as they are: they are found under each key, and gone in a day.
    """
    return Counter(map(_rotate, AnsweredRequest.objects.exclude(answer=None).iterator()))


def _rotate(row: AnsweredRequest) -> str:
    try:
        answer = tokens.encrypt(tokens.decrypt(bytes(row.answer or b"")))
    except tokens.UnreadableToken:
        return "unreadable"
    AnsweredRequest.objects.filter(pk=row.pk, answer__isnull=False).update(answer=answer)
    return "written"
