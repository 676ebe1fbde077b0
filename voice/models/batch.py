"""Files that are transcribed when there is time."""

import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Batch(models.Model):
    """Several uploaded files with one set of options."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.CharField(max_length=80, help_text=_("voice.callers.Caller.owner of whoever uploaded it."))
    language = models.CharField(max_length=16, blank=True, help_text=_("Language code; empty to detect it."))
    hot_words = models.CharField(max_length=1000, blank=True)
    is_diarized = models.BooleanField(default=False, help_text=_("Tell the speakers apart."))
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = _("batches")
        indexes = [models.Index(fields=["owner", "-created_at"], name="batches_of_an_owner")]

    def __str__(self) -> str:
        return str(self.id)


class BatchFile(models.Model):
    """One uploaded file and its transcript."""

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="files")
    position = models.PositiveIntegerField()
    file_name = models.CharField(max_length=255, help_text=_("As the uploader named it."))
    storage_name = models.CharField(max_length=200, blank=True, help_text=_("Empty once it was deleted."))
    byte_count = models.PositiveBigIntegerField()
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.WAITING)
    text = models.TextField(blank=True)
    language = models.CharField(max_length=16, blank=True)
    language_probability = models.FloatField(null=True)
    duration_s = models.FloatField(null=True)
    skipped_frames = models.PositiveIntegerField(
        default=0, db_default=0, help_text=_("Damaged or unknown frames of the file.")
    )
    segments = models.JSONField(default=list, help_text=_("As voice.types.Segment, times in seconds."))
    engine = models.CharField(max_length=40, blank=True)
    model = models.CharField(max_length=200, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.CharField(max_length=500, blank=True)
    retry_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["batch", "position"], name="one_batch_file_a_position")
        ]
        indexes = [
            models.Index(
                fields=["retry_at"], condition=models.Q(status="waiting"), name="batch_files_to_recognise"
            ),
            models.Index(
                fields=["retry_at"],
                condition=~models.Q(status="waiting") & ~models.Q(storage_name=""),
                name="batch_uploads_to_delete",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.file_name} ({self.get_status_display()})"
