from django.db import models
from django.utils.translation import gettext_lazy as _

from interviews.texts.languages import LANGUAGES


class Vocabulary(models.Model):
    """Names and terms of an organisation in one language. They count in all its interviews, at once."""

    organisation = models.ForeignKey(
        "accounts.Organisation",
        on_delete=models.CASCADE,
        related_name="vocabularies",
        verbose_name=_("organisation"),
    )
    language = models.CharField(_("language"), max_length=16, choices=LANGUAGES, default="en")
    text = models.TextField(
        _("names and terms"),
        help_text=_(
            "One a line: products, technologies, places. After = write how it is pronounced, if the voice "
            "says it wrong: Nguyen = win."
        ),
    )

    class Meta:
        ordering = ["organisation", "language"]
        verbose_name = _("vocabulary")
        verbose_name_plural = _("vocabularies")
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "language"],
                name="one_vocabulary_a_language",
                violation_error_message=_(
                    "There is a vocabulary for this language already: change that one."
                ),
            )
        ]

    def __str__(self) -> str:
        return f"{self.organisation}, {self.get_language_display()}"

    @classmethod
    def text_of(cls, organisation_id: int, language: str) -> str:
        """Return the text of an organisation's vocabulary in a language; "" if it has none."""
        texts = cls.objects.filter(organisation=organisation_id, language=language).values_list(
            "text", flat=True
        )
        return next(iter(texts), "")
