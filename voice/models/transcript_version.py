"""The versions of a transcript."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from voice.models.recording import Recording
from voice.models.transcript import Recognised


class TranscriptVersion(Recognised):
    """What one engine recognised in a recording that was transcribed more than once.

    A recording that was transcribed once has none. A row that is finished is never changed. The transcript is
    a copy of one of them and has its number.
    """

    recording = models.ForeignKey(Recording, on_delete=models.CASCADE, related_name="versions")
    wanted_engine = models.CharField(max_length=40, blank=True, help_text=_("Empty for the first version."))
    wanted_model = models.CharField(max_length=200, blank=True)
    is_to_be_current = models.BooleanField(
        default=False, help_text=_("Used as soon as it is made, unless words were corrected.")
    )
    asked_by = models.CharField(
        max_length=80, blank=True, help_text=_("The name that the product gives the person.")
    )
    asked_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["recording", "version"]
        constraints = [
            models.UniqueConstraint(fields=["recording", "version"], name="one_transcript_version_a_number"),
            models.UniqueConstraint(
                fields=["recording"],
                condition=models.Q(status="waiting"),
                name="one_transcript_version_at_a_time",
            ),
        ]
        indexes = [
            models.Index(
                fields=["retry_at"], condition=models.Q(status="waiting"), name="transcript_versions_to_make"
            )
        ]

    def __str__(self) -> str:
        return f"{self.recording_id}, version {self.version} ({self.get_status_display()})"
