import json
import uuid
from collections.abc import Mapping

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from interviews import tokens
from interviews.models.interview import Interview
from interviews.models.invitation import Invitation


class GroupSurvey(models.Model):
    """Whether, and what, an organisation asks candidates about their group after the interview."""

    organisation = models.OneToOneField(
        "accounts.Organisation",
        on_delete=models.CASCADE,
        related_name="group_survey",
        verbose_name=_("organisation"),
    )
    is_asked = models.BooleanField(
        _("ask candidates after the interview"),
        default=False,
        help_text=_("Voluntary, and kept apart from the interview. You never see what one person said."),
    )
    text = models.TextField(
        _("own questions"),
        blank=True,
        default="",
        help_text=_(
            "A question a line, and below it each choice on a line that begins with -. All candidates read "
            "them as they stand here. Empty: sex, and race or ethnicity, in the categories of EEO-1."
        ),
    )
    asked_since = models.DateField(
        null=True, editable=False, help_text=_("Candidates who finished before it were never asked.")
    )

    class Meta:
        verbose_name = _("self-declared groups")
        verbose_name_plural = _("self-declared groups")

    def __str__(self) -> str:
        return str(self.organisation)


_BLOCK = 512
"""Bytes. What is kept has the same length whichever groups of EEO-1 were named."""


class GroupDeclaration(models.Model):
    """The groups that a candidate named, or none, encrypted, until they are counted or erased.

    id: known to the browser that sent them only; by it they can be changed.

    Only `queries/groups.py` reads it. It has no time, and nothing leads from a candidate to it: no
    page, list or filter can show it by mistake.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    invitation = models.OneToOneField(Invitation, on_delete=models.CASCADE, related_name="+")
    groups_encrypted = models.BinaryField()

    def __str__(self) -> str:
        return f"declaration {self.pk}"

    @property
    def groups(self) -> Mapping[str, str]:
        """{question's key: choice's key}. Raises UnreadableToken, if its key is missing in `TOKEN_KEYS`."""
        return json.loads(tokens.decrypt(bytes(self.groups_encrypted)))

    @groups.setter
    def groups(self, groups: Mapping[str, str]) -> None:
        written = json.dumps(groups)
        self.groups_encrypted = tokens.encrypt_undated(written.ljust(-(-len(written) // _BLOCK) * _BLOCK))


class ImpactReport(models.Model):
    """How candidates of each group fared who finished interviews from the first to the last day.

    It is counted once and never again, and holds nothing but what is shown (ADR 43). Each candidate is in
    one report at most. tables: as `queries/impact.Table` says.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(
        "accounts.Organisation", on_delete=models.CASCADE, related_name="impact_reports"
    )
    interviews = models.ManyToManyField(Interview, related_name="impact_reports")
    first = models.DateField()
    last = models.DateField()
    candidates = models.PositiveIntegerField(help_text=_("Who finished, whether they named a group or not."))
    undecided = models.PositiveIntegerField(help_text=_("Of them without a decision when it was counted."))
    tables = models.JSONField()
    counted_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-last", "-counted_at", "pk"]

    def __str__(self) -> str:
        return f"{self.first} – {self.last}"
