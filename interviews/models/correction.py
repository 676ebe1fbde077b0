import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from interviews.models.answer import Answer


class Correction(models.Model):
    """What a person says was said: a layer above the recognised words, which stay as they are.

    A later layer hides those that it overlaps, but a reviewer's is never hidden by the candidate's
    (`queries/corrections.py`). No row is changed or deleted: to undo one is to add another.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    answer = models.ForeignKey(Answer, on_delete=models.CASCADE, related_name="corrections")
    first_word = models.PositiveIntegerField(
        help_text=_("The first recognised word it stands for, counted from 0.")
    )
    last_word = models.PositiveIntegerField(help_text=_("The last recognised word it stands for."))
    version = models.PositiveSmallIntegerField(
        default=1, db_default=1, help_text=_("Of the transcript that it was made on, and belongs to.")
    )
    recognised = models.TextField(help_text=_("These words. It is in force only where they still stand."))
    text = models.TextField(  # noqa: DJ001  null is something else than ""
        null=True, help_text=_("Empty: nothing was said. Null: what was recognised is right.")
    )
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    is_by_candidate = models.BooleanField(
        default=False, db_default=False, help_text=_("Then no account made it.")
    )
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["made_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(last_word__gte=models.F("first_word")),
                name="correction_is_of_a_word_at_least",
            )
        ]

    def __str__(self) -> str:
        return str(self.pk)
