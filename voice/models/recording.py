"""Recorded audio of one speaker."""

import uuid
from itertools import pairwise

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from voice.types import BYTES_A_SECOND

NO_PEAKS = b"b''"
"""Stands for no peaks in rows that were made before `sql.insert` could write bytes."""


class Recording(models.Model):
    """Audio of one speaker: 16 kHz mono s16le while it grows, finally FLAC in object storage."""

    class Status(models.TextChoices):
        OPEN = "open", _("being recorded")
        SEALED = "sealed", _("complete, not stored yet")
        STORED = "stored", _("stored")
        DISCARDED = "discarded", _("discarded")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)
    language = models.CharField(max_length=16, blank=True, help_text=_("Language code; empty to detect it."))
    owner = models.CharField(
        max_length=80, blank=True, default="", db_default="", help_text=_("voice.callers.Caller.owner.")
    )
    hot_words = models.TextField(
        blank=True, default="", db_default="", help_text=_("Names and terms that are likely to be said.")
    )
    data_key = models.UUIDField(
        null=True,
        editable=False,
        help_text=_("Encrypts its files (DataKey.id); null: they are not encrypted."),
    )
    max_bytes = models.PositiveBigIntegerField(help_text=_("PCM bytes that are accepted at most."))
    byte_count = models.PositiveBigIntegerField(null=True, help_text=_("PCM bytes, once complete."))
    segment_ends = ArrayField(
        models.PositiveBigIntegerField(),
        default=list,
        db_default=[],
        help_text=_("Bytes at which its segments in object storage end, while it grows."),
    )
    sha256 = models.CharField(max_length=64, blank=True, help_text=_("Of the PCM bytes, once stored."))
    storage_name = models.CharField(max_length=200, blank=True)
    peaks = models.BinaryField(
        default=b"",
        db_default=b"",
        help_text=_("voice.audio.peaks of it, once stored; empty if an older release stored it."),
    )
    created_at = models.DateTimeField(default=timezone.now)
    sealed_at = models.DateTimeField(null=True)
    retry_at = models.DateTimeField(
        default=timezone.now, help_text=_("The sweeper queues it again from then.")
    )
    stored_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(status__in=["sealed", "stored"]) | models.Q(byte_count__isnull=False),
                name="complete_recording_has_a_length",
            ),
            models.CheckConstraint(
                condition=~models.Q(status="stored") | ~(models.Q(storage_name="") | models.Q(sha256="")),
                name="stored_recording_has_a_file",
            ),
        ]
        indexes = [
            models.Index(
                fields=["retry_at"], condition=models.Q(status="sealed"), name="recordings_to_store"
            ),
            models.Index(fields=["id"], condition=models.Q(status="open"), name="recordings_open"),
        ]

    def __str__(self) -> str:
        return f"{self.id} ({self.get_status_display()})"

    @property
    def drawn_peaks(self) -> bytes:
        """Its peaks; empty where there are none, in whichever way that was written."""
        return b"" if self.peaks == NO_PEAKS else bytes(self.peaks)

    @property
    def limit_bytes(self) -> int:
        """PCM bytes that may be held: the limit while it is open, its length once it is complete."""
        return self.max_bytes if self.byte_count is None else self.byte_count

    @property
    def segments(self) -> list[tuple[int, int]]:
        """The ranges [start, end) of bytes known to be in object storage while it grows."""
        return list(pairwise([0, *self.segment_ends]))

    @property
    def moved_bytes(self) -> int:
        """The number of bytes, from the first, known to be in object storage while it grows."""
        return self.segment_ends[-1] if self.segment_ends else 0

    @property
    def duration_s(self) -> float | None:
        """Length in seconds, once complete."""
        return None if self.byte_count is None else self.byte_count / BYTES_A_SECOND
