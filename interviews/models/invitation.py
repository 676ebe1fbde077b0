import uuid
from datetime import datetime
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from interviews import tokens
from interviews.models.interview import Interview
from interviews.tokens import new_token


def url_of(token: str) -> str:
    """Return the complete link with this token."""
    return f"{settings.BASE_URL}/i/{tokens.in_link(token)}/"


class Invitations(models.QuerySet["Invitation"]):
    def counted(self) -> Self:
        """Leave out those with which a recruiter tries an interview, and attempts that were set aside."""
        return self.filter(tried=None, set_aside_of=None)


class Invitation(models.Model):
    """A candidate's link to an interview. The link is the only proof of identity."""

    class Status(models.TextChoices):
        PENDING = "pending", _("not started")
        STARTED = "started", _("started")
        FINISHED = "finished", _("finished")
        EXPIRED = "expired", _("expired")
        REVOKED = "revoked", _("revoked")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    interview = models.ForeignKey(
        Interview, on_delete=models.PROTECT, related_name="invitations", verbose_name=_("interview")
    )
    candidate_name = models.CharField(_("candidate"), max_length=200)
    candidate_email = models.EmailField(_("e-mail"), blank=True)
    token_hash = models.BinaryField(null=True, unique=True, help_text=_("Finds the link."))
    token_encrypted = models.BinaryField(null=True, help_text=_("Shows the link again."))
    # The release before reads and writes this column. It is dropped one release after ADR 19.
    plain_token = models.CharField(  # noqa: DJ001  no link is not the empty link
        max_length=64, null=True, unique=True, editable=False, db_column="token"
    )
    plain_until = models.DateTimeField(null=True, editable=False)
    status = models.CharField(
        _("status"), max_length=10, choices=Status.choices, default=Status.PENDING, editable=False
    )
    expires_at = models.DateTimeField(_("expires"))
    wants_reminders = models.BooleanField(default=True, db_default=True, editable=False)
    batch = models.ForeignKey(
        "interviews.InvitationBatch",
        null=True,
        on_delete=models.SET_NULL,
        related_name="invitations",
        editable=False,
        verbose_name=_("spreadsheet"),
    )
    tried = models.ForeignKey(
        "interviews.InterviewVersion",
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        editable=False,
        help_text=_("The draft that a recruiter tries. It is never counted, and erased after a day."),
    )
    external_id = models.CharField(
        max_length=200,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text=_("By which another system knows it; one in an organisation."),
    )
    metadata = models.JSONField(
        default=dict, db_default={}, editable=False, help_text=_("Texts that another system keeps with it.")
    )
    accommodation = models.ForeignKey(
        "interviews.Accommodation",
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        editable=False,
        help_text=_("What this candidate gets, if it is not what all get."),
    )
    set_aside_of = models.ForeignKey(
        "self",
        null=True,
        on_delete=models.CASCADE,
        related_name="set_aside",
        editable=False,
        help_text=_("With which the candidate began again. This one keeps the attempt before."),
    )
    open_link = models.ForeignKey(
        "interviews.OpenLink",
        null=True,
        on_delete=models.SET_NULL,
        related_name="invitations",
        editable=False,
        help_text=_("Where the candidate came from, if not from an invitation."),
    )
    data_key = models.UUIDField(
        null=True, editable=False, help_text=_("Encrypts what this candidate says (voice.DataKey).")
    )
    link_requested_at = models.DateTimeField(null=True, editable=False)
    erasure_requested_at = models.DateTimeField(
        null=True, editable=False, help_text=_("The candidate asked for it during a legal hold, and waits.")
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, editable=False
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    objects = Invitations.as_manager()

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        ordering = ["-created_at"]
        indexes = [
            models.Index(
                fields=["expires_at"],
                condition=models.Q(status__in=["pending", "started"]),
                name="invitations_to_expire",
            ),
            models.Index(fields=["-created_at"], name="newest_invitations"),
            models.Index(
                fields=["external_id"], condition=~models.Q(external_id=""), name="invitations_of_others"
            ),
            # Finds the other invitations of a candidate (queries/candidates.py).
            models.Index(Lower("candidate_email"), "created_at", name="invitations_of_an_address"),
        ]

    def __str__(self) -> str:
        return f"{self.candidate_name} – {self.interview}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the row. A new one gets its link."""
        if self._state.adding and self.token_hash is None:
            self.token = new_token()
        super().save(*args, **kwargs)

    @cached_property
    def is_asked_for_groups(self) -> bool:
        """Whether the organisation asks candidates, after the interview, for their groups."""
        survey = getattr(self.interview.organisation, "group_survey", None)
        return survey is not None and survey.is_asked and survey.asked_since is not None

    @cached_property
    def definition(self) -> Any:
        """The version of the interview that the candidate agreed to; before that, the published one."""
        session = getattr(self, "session", None)
        return (session and session.definition) or self.tried or self.interview.published

    @property
    def is_test(self) -> bool:
        """Whether nobody counts it: a key for tests made it, or a recruiter who tries the interview."""
        return self.tried_id is not None

    @property
    def begin_by(self) -> datetime:
        """When no interview can be begun any more: after the link's last day, or the interview's deadline."""
        deadline = self.definition.deadline
        return min(self.expires_at, deadline) if deadline else self.expires_at

    def is_too_late(self, now: datetime) -> bool:
        """Whether an interview that this link begins now, or begins again, would be after the deadline."""
        begins = self.tried or self.interview.published
        return bool(begins and begins.deadline and begins.deadline <= now)

    @property
    def token(self) -> str:
        """The secret part of the link. A door that shows it logs to whom.

        Raises:
            UnreadableToken: the key with which it was encrypted is missing.
        """
        if self.token_encrypted is not None:
            return tokens.decrypt(bytes(self.token_encrypted))
        assert self.plain_token is not None, "the release before wrote it"
        return self.plain_token

    @token.setter
    def token(self, token: str) -> None:
        self.token_hash, self.token_encrypted = tokens.digest(token), tokens.encrypt(token)

    @property
    def url(self) -> str:
        """The complete link to send to the candidate."""
        return url_of(self.token)

    def temporary_url(self, *, until: datetime) -> str:
        """A further link, which opens the interview until then."""
        return url_of(tokens.temporary(self.pk, until=until))
