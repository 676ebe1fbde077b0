import uuid
from datetime import datetime

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from interviews.models.definition import Definition
from interviews.models.vocabulary import Vocabulary


class Interview(Definition):
    """An interview that a recruiter writes once and invites many candidates to.

    Its own fields and questions are what is being written. Candidates get the version published last.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", _("draft")
        PUBLISHED = "published", _("published")
        ARCHIVED = "archived", _("archived")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(
        "accounts.Organisation",
        on_delete=models.PROTECT,
        related_name="interviews",
        verbose_name=_("organisation"),
    )
    status = models.CharField(
        _("status"),
        max_length=10,
        choices=Status.choices,
        default=Status.DRAFT,
        db_default=Status.PUBLISHED,  # the release before writes rows without it
        editable=False,
    )
    published = models.ForeignKey(
        "interviews.InterviewVersion",
        null=True,
        on_delete=models.SET_NULL,  # only together with the interview
        related_name="+",
        editable=False,
        help_text=_("The version that candidates get."),
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, editable=False
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("interview")
        verbose_name_plural = _("interviews")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.title

    def is_over(self, now: datetime) -> bool:
        """Whether its deadline is over for those who have not begun: nobody more can be invited."""
        deadline = self.published and self.published.deadline
        return bool(deadline and deadline <= now)

    @property
    def owner(self) -> str:
        """`voice.callers.Caller.owner` of the organisation's keys.

        Its speech is this tenant's alone: no organisation learns of another's texts.
        """
        return f"organisation:{self.organisation_id}"

    @property
    def kept_days(self) -> int | None:
        """How long its candidates are kept, once it is published: as it says, or as its organisation does."""
        return self.retention_days or self.organisation.retention_days

    @cached_property
    def shared_vocabulary(self) -> str:
        """Its organisation's vocabulary in its language."""
        return Vocabulary.text_of(self.organisation_id, self.language)
