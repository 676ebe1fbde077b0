import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from interviews.models.interview import Interview


class InvitationBatch(models.Model):
    """Candidates of one spreadsheet.

    candidates: good rows that are not invited yet: [line, name, e-mail, last day or null] each.
    problems: rows that can't be invited: [line, what stands there, why] each.
    Both are emptied when they are no longer needed, for they name people.
    """

    class Status(models.TextChoices):
        CHECKED = "checked", _("to be confirmed")
        RUNNING = "running", _("being invited")
        DONE = "done", _("invited")
        UNDONE = "undone", _("undone")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    interview = models.ForeignKey(
        Interview, on_delete=models.CASCADE, related_name="batches", verbose_name=_("interview")
    )
    file_name = models.CharField(_("file"), max_length=200)
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.CHECKED)
    candidates = models.JSONField(default=list)
    problems = models.JSONField(default=list)
    total = models.PositiveIntegerField(_("candidates"), default=0)
    expires_at = models.DateTimeField(_("links expire"))
    is_mailed = models.BooleanField(_("sent by e-mail"), default=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(_("created"), default=timezone.now)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("spreadsheet of candidates")
        verbose_name_plural = _("spreadsheets of candidates")

    def __str__(self) -> str:
        return self.file_name

    @property
    def done(self) -> int:
        """How many of its candidates are invited."""
        return 0 if self.status == self.Status.CHECKED else self.total - len(self.candidates)
