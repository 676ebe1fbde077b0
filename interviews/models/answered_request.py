import uuid

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models


class AnsweredRequest(models.Model):
    """A request with an Idempotency-Key that was carried out, and its answer, for a day.

    api_key: the id of the key; keys have no other tie to it, so a row outlives its key for a day at most.
    digest, request: keyed hashes of the Idempotency-Key, and of method, address and body.
    status, answer: what was answered, encrypted; None once a candidate in it was erased.
    named: every id in the address and the answer, by which what is about a candidate is found.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    api_key = models.UUIDField()
    digest = models.BinaryField()
    request = models.BinaryField()
    status = models.PositiveSmallIntegerField()
    answer = models.BinaryField(null=True)
    named = ArrayField(models.UUIDField(), default=list)
    answered_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["api_key", "digest"], name="one_answer_an_idempotency_key"),
        ]
        indexes = [
            models.Index(fields=["answered_at"], name="answers_to_forget"),
            GinIndex(fields=["named"], name="answers_by_what_they_name"),
        ]

    def __str__(self) -> str:
        return str(self.id)
