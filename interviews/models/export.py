import uuid
from datetime import datetime, timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from accounts.models import ApiKey, Organisation
from interviews.models.erasure import Erasure


class Export(models.Model):
    """A file about many candidates that a program asked for. A job makes it; after `KEPT` it is deleted.

    wanted: the filters of the list of interviews, as {"interview_id": "…"}.
    is_judged: with decisions and scores.
    candidates: the ids of the invitations that are in it, so that the erasure of one of them ends it.
    retry_at: a job makes it from then on; the sweeper queues one that was lost.
    """

    class Kind(models.TextChoices):
        CSV = "candidates_csv", "candidates as CSV"
        XLSX = "candidates_xlsx", "candidates as XLSX"
        ZIP = "recordings_zip", "recordings as ZIP"

    class Status(models.TextChoices):
        WAITING = "waiting", "being made"
        DONE = "done", "ready"
        FAILED = "failed", "failed"
        ENDED = "ended", "deleted because a candidate in it was erased"

    KEPT = timedelta(days=1)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="+")
    asked_by = models.ForeignKey(ApiKey, null=True, on_delete=models.SET_NULL, related_name="+")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    wanted = models.JSONField(default=dict)
    is_judged = models.BooleanField(default=False)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.WAITING)
    candidates = ArrayField(models.UUIDField(), default=list)
    done_count = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    storage_name = models.CharField(max_length=200, blank=True, default="")
    byte_count = models.PositiveBigIntegerField(null=True)
    sha256 = models.CharField(max_length=64, blank=True, default="")
    created_at = models.DateTimeField(default=timezone.now)
    retry_at = models.DateTimeField(default=timezone.now)
    done_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(Erasure, null=True, on_delete=models.SET_NULL, related_name="ended_exports")

    class Meta:
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"

    @property
    def expires_at(self) -> datetime:
        """When the file and this row are deleted."""
        return self.created_at + self.KEPT

    @property
    def directory(self) -> str:
        """What the names of its files in object storage begin with."""
        return f"exports/{self.pk}/"
