import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from interviews.models.interview import Interview


class Erasure(models.Model):
    """A candidate who was erased: what is left for statistics. It names no person.

    While the erasure is under way it has the id of the session that was deleted, to find what is left of it.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", _("under way")
        DONE = "done", _("complete")

    class Source(models.TextChoices):
        RECRUITER = "recruiter", _("a recruiter")
        API = "api", _("another system")
        CANDIDATE = "candidate", _("the candidate")
        RETENTION = "retention", _("the end of the retention")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    interview = models.ForeignKey(
        Interview, on_delete=models.PROTECT, related_name="erasures", verbose_name=_("interview")
    )
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.WAITING)
    source = models.CharField(_("asked for by"), max_length=10, choices=Source.choices)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, verbose_name=_("recruiter")
    )
    requested_at = models.DateTimeField(_("asked for"), default=timezone.now)
    done_at = models.DateTimeField(_("complete since"), null=True)

    is_trial = models.BooleanField(
        default=False, db_default=False, help_text=_("A recruiter tried the interview; it is never counted.")
    )

    # What is left of the candidate. Days, because the time of day could be compared with other records.
    invitation_status = models.CharField(_("the link was"), max_length=10)
    session_status = models.CharField(_("the interview was"), max_length=12, blank=True)
    invited_on = models.DateField(_("invited on"))
    begun_on = models.DateField(_("begun on"), null=True)
    finished_on = models.DateField(_("finished on"), null=True)
    answer_count = models.PositiveSmallIntegerField(_("questions answered"), default=0)

    # How far the erasure is. Emptied when it is complete.
    session_key = models.UUIDField(null=True, help_text=_("The id of the session that was deleted."))
    note = models.CharField(
        max_length=64,
        blank=True,
        default="",
        db_default="",
        help_text=_("interviews.actions.erasure_notes, until it is written."),
    )
    pending = models.JSONField(
        default=list, help_text=_("Ids under which the speech service may still find something.")
    )
    steps = models.JSONField(default=list, help_text=_("What was done, in order."))
    last_error = models.CharField(max_length=500, blank=True)
    retry_at = models.DateTimeField(
        default=timezone.now, help_text=_("The sweeper queues it again from then.")
    )

    class Meta:
        ordering = ["-requested_at"]
        verbose_name = _("erased candidate")
        verbose_name_plural = _("erased candidates")
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(status="done") | models.Q(session_key__isnull=True, pending=[]),
                name="complete_erasure_has_no_ids",
            )
        ]
        indexes = [
            models.Index(
                fields=["retry_at"], condition=models.Q(status="waiting"), name="erasures_to_complete"
            )
        ]

    def __str__(self) -> str:
        return str(self.id)
