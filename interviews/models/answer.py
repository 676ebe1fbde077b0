import uuid
from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from interviews.models.question import Question
from interviews.models.session import Session
from voice.models import Recording


class Answers(models.QuerySet["Answer"]):
    def counted(self) -> Self:
        """Leave out those of recruiters who try an interview, and of attempts that were set aside."""
        return self.filter(session__invitation__tried=None, session__invitation__set_aside_of=None)


class Answer(models.Model):
    """A question asked of a candidate, and the answer.

    The question is copied when the session begins, so later edits do not change an interview under way.
    """

    class Kind(models.TextChoices):
        PRACTICE = "practice", _("practice")
        QUESTION = "question", _("question")
        FOLLOW_UP = "follow_up", _("follow-up question")

    class Status(models.TextChoices):
        PENDING = "pending", _("not asked yet")
        ASKED = "asked", _("asked")
        RECORDING = "recording", _("being answered")
        RECORDED = "recorded", _("answered, retake possible")
        ACCEPTED = "accepted", _("answered")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="answers")
    question = models.ForeignKey(Question, null=True, on_delete=models.SET_NULL, related_name="answers")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.QUESTION)
    position = models.PositiveSmallIntegerField(
        _("order"), help_text=_("0 is the practice question. A follow-up has that of its question.")
    )
    follow_up = models.PositiveSmallIntegerField(
        default=0,
        db_default=0,
        help_text=_("1, 2, 3 …: a follow-up to the question; 0: the question itself."),
    )
    question_text = models.TextField(_("question"))
    speech_key = models.CharField(max_length=64, help_text=_("Of the spoken question (voice.Speech)."))
    think_seconds = models.PositiveSmallIntegerField()
    answer_limit_seconds = models.PositiveSmallIntegerField()
    retakes_left = models.PositiveSmallIntegerField(default=0)
    follow_ups_left = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text=_("So many follow-up questions may come after this answer.")
    )
    scripted_left = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text=_("So many scripted follow-ups may come after this answer.")
    )
    is_scripted = models.BooleanField(
        default=False, db_default=False, help_text=_("A follow-up that the recruiter wrote.")
    )
    follow_up_by = models.DateTimeField(
        null=True, help_text=_("Until then the interview waits for a follow-up question to this answer.")
    )
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.PENDING)
    recording = models.OneToOneField(Recording, null=True, on_delete=models.PROTECT, related_name="answer")
    typed_text = models.TextField(
        _("typed answer"), blank=True, help_text=_("When no microphone could be had.")
    )
    version = models.PositiveIntegerField(default=1, help_text=_("Grows with each event about it."))
    asked_at = models.DateTimeField(null=True)
    asked_again_at = models.DateTimeField(
        null=True, help_text=_("Nothing was heard until the limit, so the question was asked once more.")
    )
    is_silent = models.BooleanField(
        default=False,
        db_default=False,
        help_text=_("Nothing was heard until the limit, the second time too."),
    )
    flagged_at = models.DateTimeField(
        null=True, help_text=_("The candidate says since then that this answer was heard wrongly.")
    )
    heard_again = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text=_("So often the candidate had the question played once more.")
    )
    began_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)

    objects = Answers.as_manager()

    class Meta:
        ordering = ["session", "position", "follow_up"]
        constraints = [
            models.UniqueConstraint(fields=["session", "position", "follow_up"], name="one_answer_a_place"),
            models.CheckConstraint(
                condition=~models.Q(status__in=["recording", "recorded"]) | models.Q(recording__isnull=False),
                name="answer_being_recorded_has_a_recording",
            ),
        ]
        indexes = [
            models.Index(
                fields=["-completed_at"],
                condition=~models.Q(kind="practice") & models.Q(completed_at__isnull=False),
                name="answers_by_completion",
            ),
            models.Index(
                fields=["follow_up_by"],
                condition=models.Q(follow_up_by__isnull=False),
                name="answers_awaiting_a_follow_up",
            ),
        ]

    def __str__(self) -> str:
        return self.question_text[:80]

    @property
    def number(self) -> str:
        """Its number for people: 2 for the second question, 2.1 for the first follow-up to it."""
        return f"{self.position}.{self.follow_up}" if self.follow_up else str(self.position)

    @property
    def extra_seconds(self) -> int:
        """How much longer the candidate could think, because the question was asked again.

        It tells an accommodation: not for pages and exports, which reviewers read.
        """
        if self.asked_again_at is None or self.asked_at is None:
            return 0
        return round((self.asked_again_at - self.asked_at).total_seconds())

    @property
    def current_recording(self) -> Recording:
        """The recording of an answer that is or was being recorded."""
        assert self.recording is not None, "the check constraint of the status promises one"
        return self.recording
