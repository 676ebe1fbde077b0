from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from interviews.texts.languages import LANGUAGES


class BankQuestion(models.Model):
    """A question that an organisation keeps, to be copied into its interviews.

    tags, competencies: words with commas between them, as `texts.tags.tidy` writes them.
    """

    organisation = models.ForeignKey(
        "accounts.Organisation",
        on_delete=models.CASCADE,
        related_name="bank_questions",
        verbose_name=_("organisation"),
    )
    text = models.TextField(_("question"), max_length=2000)
    language = models.CharField(_("language"), max_length=16, choices=LANGUAGES, default="en")
    tags = models.CharField(_("tags"), max_length=200, blank=True)
    competencies = models.CharField(_("competencies"), max_length=200, blank=True)
    think_seconds = models.PositiveSmallIntegerField(
        _("think time (s)"), default=30, validators=[MaxValueValidator(600)]
    )
    answer_limit_seconds = models.PositiveSmallIntegerField(
        _("answer limit (s)"), default=120, validators=[MinValueValidator(5), MaxValueValidator(1800)]
    )
    retakes = models.PositiveSmallIntegerField(_("retakes"), default=0, validators=[MaxValueValidator(10)])
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, editable=False
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = _("question of the bank")
        verbose_name_plural = _("questions of the bank")

    def __str__(self) -> str:
        return self.text[:80]

    @property
    def owner(self) -> str:
        """See `Interview.owner`."""
        return f"organisation:{self.organisation_id}"
