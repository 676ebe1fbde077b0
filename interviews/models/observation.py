from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from interviews.models.answer import Answer
from interviews.models.session import Session


class Observation(models.Model):
    """A fact of integrity that no other row tells: something happened at a time. It is never a score."""

    class Kind(models.TextChoices):
        RECONNECTED = "reconnected", _("The connection was lost and came back.")
        OPENED_AGAIN = (
            "opened_again",
            _("The page was opened again: a reload, another tab or another device."),
        )
        LEFT_PAGE = "left_page", _("Left the page. It was not seen coming back.")
        PASTED = "pasted", _("Pasted text into the written answer.")
        SECOND_SCREEN = "second_screen", _("A second screen was connected.")

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="observations")
    answer = models.ForeignKey(
        Answer,
        null=True,
        db_index=False,  # it has one below, which was added concurrently
        on_delete=models.CASCADE,
        related_name="observations",
        help_text=_("To the question that was asked then; null: none was, or it is of the whole interview."),
    )
    kind = models.CharField(max_length=20, choices=Kind.choices)
    happened_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, help_text=_("When the page that was left came back."))
    characters = models.PositiveIntegerField(null=True, help_text=_("How many were pasted."))

    class Meta:
        ordering = ["happened_at", "id"]
        indexes = [models.Index(fields=["answer"], name="observations_of_an_answer")]

    def __str__(self) -> str:
        return f"{self.kind} {self.happened_at}"
