"""Stored synthesised speech."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Speech(models.Model):
    """Synthesised speech under a secret name of its text, voice and language: rendered once and immutable."""

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting")
        READY = "ready", _("ready")
        FAILED = "failed", _("failed")

    key = models.CharField(primary_key=True, max_length=64, editable=False)
    text = models.TextField(help_text=_("As it is spoken."))
    written = models.TextField(
        blank=True,
        default="",
        db_default="",
        help_text=_("As it is written, if some of its words are pronounced otherwise."),
    )
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
    misheard = models.TextField(  # noqa: DJ001  null is another state than no words
        null=True,
        help_text=_("Words that a recogniser heard otherwise, with spaces between them; null: not checked."),
    )
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
