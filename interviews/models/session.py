import uuid
from typing import Self

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from interviews.models.interview import Interview
from interviews.models.invitation import Invitation
from interviews.models.version import InterviewVersion


class Sessions(models.QuerySet["Session"]):
    def counted(self) -> Self:
        """Leave out those of recruiters who try an interview, and attempts that were set aside."""
        return self.filter(invitation__tried=None, invitation__set_aside_of=None)

    def of_candidate(self, invitation_id: uuid.UUID) -> Self:
        """Return the interview of an invitation, with its attempts that were set aside."""
        own, earlier = models.Q(invitation=invitation_id), models.Q(invitation__set_aside_of=invitation_id)
        return self.filter(own | earlier)


class Session(models.Model):
    """A candidate's interview, from consent to the last answer."""

    class Status(models.TextChoices):
        CHECKING = "checking", _("checking devices")
        PRACTISING = "practising", _("practising")
        UNDER_WAY = "under_way", _("under way")
        FINISHED = "finished", _("finished")
        ABANDONED = "abandoned", _("not finished")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    invitation = models.OneToOneField(Invitation, on_delete=models.PROTECT, related_name="session")
    definition = models.ForeignKey(
        InterviewVersion,
        null=True,  # the release before begins sessions without it
        on_delete=models.PROTECT,
        related_name="sessions",
        help_text=_("The interview as the candidate agreed to it."),
    )
    status = models.CharField(_("status"), max_length=12, choices=Status.choices, default=Status.CHECKING)
    consent_text = models.TextField(help_text=_("The text as it was agreed to."))
    consented_at = models.DateTimeField(_("consented"), default=timezone.now)
    last_seen_at = models.DateTimeField(_("last seen"), default=timezone.now)
    version = models.PositiveIntegerField(default=1, help_text=_("Grows with each event."))
    finished_at = models.DateTimeField(_("finished"), null=True)
    withdrawn_at = models.DateTimeField(_("consent withdrawn"), null=True)

    objects = Sessions.as_manager()

    class Meta:
        verbose_name = _("candidate’s interview")
        verbose_name_plural = _("candidates’ interviews")
        ordering = ["-consented_at"]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(status="finished") | models.Q(finished_at__isnull=False),
                name="finished_session_has_a_time",
            )
        ]
        indexes = [
            models.Index(
                fields=["last_seen_at"],
                condition=models.Q(status__in=["checking", "practising", "under_way"]),
                name="sessions_to_abandon",
            ),
            models.Index(fields=["-consented_at"], name="newest_sessions"),
        ]

    def __str__(self) -> str:
        return str(self.invitation)

    @property
    def agreed(self) -> InterviewVersion:
        """The interview as the candidate agreed to it; in a session of the release before, as published."""
        version = self.definition or self.invitation.interview.published
        assert version is not None, "who has a session got a version"
        return version

    @property
    def interview(self) -> Interview:
        """The interview of the invitation."""
        return self.invitation.interview
