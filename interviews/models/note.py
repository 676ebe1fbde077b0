import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from interviews.models.session import Session


class Note(models.Model):
    """What a member of staff writes about a candidate's interview, privately or for colleagues."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="notes")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="notes")
    text = models.TextField(_("note"), max_length=4000)
    is_shared = models.BooleanField(_("shared with colleagues"), default=False)
    written_at = models.DateTimeField(default=timezone.now)
    edited_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["written_at"]

    def __str__(self) -> str:
        return f"{self.author}, {self.written_at:%Y-%m-%d}"


class Mention(models.Model):
    """A colleague is named in a shared note, and has not said yet that it is seen."""

    note = models.ForeignKey(Note, on_delete=models.CASCADE, related_name="mentions")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="mentions")
    seen_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["note", "person"], name="one_mention_a_person")]
        indexes = [
            models.Index(fields=["person"], condition=models.Q(seen_at=None), name="mentions_not_seen")
        ]

    def __str__(self) -> str:
        return f"{self.person} – {self.note_id}"
