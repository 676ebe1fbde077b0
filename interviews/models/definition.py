from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from interviews.models.presentation import Presentation
from interviews.texts.languages import LANGUAGES


class Definition(Presentation):
    """What an interview consists of, beside its questions: the fields of drafts and of frozen versions."""

    class Patience(models.TextChoices):
        QUICK = "quick", _("quick: after 1 to 2 seconds of silence")
        NORMAL = "normal", _("normal: after 2 to 3 seconds of silence")
        PATIENT = "patient", _("patient: after 4 to 6 seconds of silence")

    title = models.CharField(_("title"), max_length=200)
    job_title = models.CharField(_("job"), max_length=200, blank=True)
    language = models.CharField(_("language"), max_length=16, choices=LANGUAGES, default="en")
    voice = models.CharField(
        _("voice"), max_length=100, blank=True, help_text=_("Empty: the best voice for the language.")
    )
    stand_in_voice = models.CharField(
        max_length=100,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text=_("Speaks instead of the voice, which could not."),
    )
    practice_question = models.TextField(
        _("practice question"), blank=True, help_text=_("Empty: a standard one. The answer is not kept.")
    )
    patience = models.CharField(
        _("end of an answer"),
        max_length=8,
        choices=Patience.choices,
        default=Patience.NORMAL,
        help_text=_(
            "When we ask “Anything to add?”. Nobody is cut off: whoever goes on speaking is recorded. "
            "Choose patient for questions that need thought."
        ),
    )
    is_barge_in_allowed = models.BooleanField(
        _("answer by speaking"),
        default=True,
        help_text=_(
            "A candidate who speaks while a question is read aloud stops the reading and begins the answer, "
            "without the think time. The button “Answer now” does the same and is always there."
        ),
    )
    is_correcting_allowed = models.BooleanField(
        _("candidates correct what we heard"),
        default=True,
        db_default=True,
        help_text=_(
            "After the interview candidates can read what we heard, and say where it is wrong. You see both, "
            "and the recording stays as it is."
        ),
    )
    has_page_facts = models.BooleanField(
        _("note what the page notices"),
        default=True,
        db_default=False,  # what was published before said nothing of it
        help_text=_(
            "Facts with times, never a score: the page was left and came back, text was pasted into a "
            "written answer, a second screen is there. Candidates read so before they agree. Nothing is "
            "noted of those with an accommodation."
        ),
    )
    consent_text = models.TextField(
        _("consent text"), help_text=_("The candidate agrees to this before anything is recorded.")
    )
    is_evaluation_drafted = models.BooleanField(
        _("suggest levels"),
        default=False,
        db_default=False,
        help_text=_(
            "The language model suggests a level for each criterion. Reviewers see it after their own score, "
            "and people decide. The consent text must say so; publishing tells you the sentence."
        ),
    )
    retention_days = models.PositiveSmallIntegerField(
        _("kept for (days)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(3650)],
        help_text=_(
            "So many days after the end of an interview its candidate is erased: name, e-mail address, "
            "recordings and texts. Empty: as the organisation says, or until the candidate or you erase them."
        ),
    )

    class Meta:
        abstract = True

    @property
    def spoken_voice(self) -> str:
        """The voice of every text of this interview."""
        return self.stand_in_voice or self.voice


FIELDS = tuple(field.name for field in Definition._meta.local_fields)  # noqa: SLF001  a documented name
