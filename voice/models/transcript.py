"""The transcript of a recording."""

from typing import TYPE_CHECKING
from uuid import UUID

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from voice.models.encrypted import EncryptedJson, EncryptedText
from voice.models.recording import Recording


class Recognised(models.Model):
    """What one engine recognised in a recording, or why there is nothing yet."""

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")
        NO_ENGINE = "no_engine", _("no engine for the language")

    status = models.CharField(max_length=10, choices=Status.choices, default=Status.WAITING)
    text = EncryptedText(blank=True)
    language = models.CharField(max_length=16, blank=True)
    language_probability = models.FloatField(null=True)
    confidence = models.FloatField(null=True, help_text=_("0 to 1, mean over the words."))
    segments = EncryptedJson(default=list, help_text=_("As voice.types.Segment, times in seconds."))
    engine = models.CharField(max_length=40, blank=True)
    model = models.CharField(max_length=200, blank=True)
    engine_ms = models.PositiveIntegerField(null=True, help_text=_("Time inside the engine."))
    version = models.PositiveSmallIntegerField(
        default=1, db_default=1, help_text=_("1 is what was recognised first.")
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.CharField(max_length=500, blank=True)
    retry_at = models.DateTimeField(
        default=timezone.now, help_text=_("The sweeper queues it again from then.")
    )
    finished_at = models.DateTimeField(null=True)

    if TYPE_CHECKING:
        recording: models.ForeignKey[Recording, Recording]

    class Meta:
        abstract = True

    @property
    def data_key(self) -> UUID | None:
        """The key of the recording, which encrypts its text as well."""
        return self.recording.data_key

    @property
    def words(self) -> list[dict]:
        """All words in order: [{word, start, end, confidence}], times in seconds."""
        return [word for segment in self.segments for word in segment["words"]]


class Transcript(Recognised):
    """The transcript of a recording. A recording has one, however many jobs worked on it.

    Where the recording was transcribed again, it is a copy of the version that is current.
    """

    recording = models.OneToOneField(Recording, on_delete=models.CASCADE, related_name="transcript")
    is_deferred = models.BooleanField(
        default=False,
        db_default=False,
        help_text=_("Made when the recognisers have nothing more urgent."),
    )

    class Meta:
        indexes = [
            models.Index(
                fields=["retry_at"], condition=models.Q(status="waiting"), name="transcripts_to_make"
            ),
            models.Index(
                fields=["recording"],
                condition=models.Q(status="no_engine"),
                name="transcripts_without_engine",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.recording_id} ({self.get_status_display()})"
