"""What the speech service keeps: recordings, their transcripts, and synthesised speech."""

import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Recording(models.Model):
    """Audio of one speaker: 16 kHz mono s16le while it grows, FLAC in object storage in the end."""

    class Status(models.TextChoices):
        OPEN = "open", _("being recorded")
        SEALED = "sealed", _("complete, not stored yet")
        STORED = "stored", _("stored")
        DISCARDED = "discarded", _("discarded")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)
    language = models.CharField(max_length=16, blank=True, help_text=_("Language code; empty to detect it."))
    max_bytes = models.PositiveBigIntegerField(help_text=_("PCM bytes that are accepted at most."))
    byte_count = models.PositiveBigIntegerField(null=True, help_text=_("PCM bytes, once complete."))
    sha256 = models.CharField(max_length=64, blank=True, help_text=_("Of the PCM bytes, once stored."))
    storage_name = models.CharField(max_length=200, blank=True)
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
            models.Index(fields=["retry_at"], condition=models.Q(status="sealed"), name="recordings_to_store")
        ]

    def __str__(self) -> str:
        return f"{self.id} ({self.get_status_display()})"

    @property
    def limit_bytes(self) -> int:
        """PCM bytes that may be held: the limit while it is open, its length once it is complete."""
        return self.max_bytes if self.byte_count is None else self.byte_count

    @property
    def duration_s(self) -> float | None:
        """Length in seconds, once complete."""
        return None if self.byte_count is None else self.byte_count / 32_000


class Transcript(models.Model):
    """What was recognised in a recording. One a recording, whatever number of jobs worked on it."""

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    recording = models.OneToOneField(Recording, on_delete=models.CASCADE, related_name="transcript")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.WAITING)
    text = models.TextField(blank=True)
    language = models.CharField(max_length=16, blank=True)
    language_probability = models.FloatField(null=True)
    confidence = models.FloatField(null=True, help_text=_("0 to 1, mean over the words."))
    segments = models.JSONField(default=list, help_text=_("As voice.engines.base.Segment, times in seconds."))
    engine = models.CharField(max_length=40, blank=True)
    model = models.CharField(max_length=200, blank=True)
    engine_ms = models.PositiveIntegerField(null=True, help_text=_("Time inside the engine."))
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.CharField(max_length=500, blank=True)
    retry_at = models.DateTimeField(
        default=timezone.now, help_text=_("The sweeper queues it again from then.")
    )
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["retry_at"], condition=models.Q(status="waiting"), name="transcripts_to_make"
            )
        ]

    def __str__(self) -> str:
        return f"{self.recording_id} ({self.get_status_display()})"

    @property
    def words(self) -> list[dict]:
        """All words in order: [{word, start, end, confidence}], times in seconds."""
        return [word for segment in self.segments for word in segment["words"]]


class Speech(models.Model):
    """Synthesised speech under the hash of its text, voice and language: rendered once, then immutable."""

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting")
        READY = "ready", _("ready")
        FAILED = "failed", _("failed")

    key = models.CharField(primary_key=True, max_length=64, editable=False)
    text = models.TextField()
    language = models.CharField(max_length=16)
    voice = models.CharField(
        max_length=100, blank=True, help_text=_("Voice id; empty for the language's own.")
    )
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.WAITING)
    storage_name = models.CharField(max_length=200, blank=True)
    engine = models.CharField(max_length=40, blank=True)
    engine_voice = models.CharField(max_length=100, blank=True, help_text=_("The voice that spoke."))
    is_last_resort = models.BooleanField(default=False)
    duration_ms = models.PositiveIntegerField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.CharField(max_length=500, blank=True)
    retry_at = models.DateTimeField(default=timezone.now)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = _("speech")
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(status="ready") | ~models.Q(storage_name=""),
                name="ready_speech_has_a_file",
            )
        ]

    def __str__(self) -> str:
        return f"{self.key[:12]} ({self.get_status_display()})"
