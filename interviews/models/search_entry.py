from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Organisation
from interviews.models.answer import Answer
from interviews.models.interview import Interview


class SearchEntry(models.Model):
    """What search knows of an answer: which words are in it, but not its text.

    It follows from the answer and can be made again at any time (`actions/search_index`). An answer in which
    nothing was said has an entry without words, so that one without an entry was missed.
    """

    answer = models.OneToOneField(
        Answer,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="search_entry",
        db_constraint=False,  # the migration writes one that deletes the entry with its answer
    )
    # No answer is left without them, so no constraint looks after these two.
    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    interview = models.ForeignKey(
        Interview, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    answered_at = models.DateTimeField(null=True, help_text=_("As Answer.completed_at."))
    lexemes = SearchVectorField(help_text=_("The words, and marks of organisation and language."))

    class Meta:
        indexes = [
            # Without its list of pending changes no search pays for the answers that came before it.
            GinIndex(fields=["lexemes"], name="search_by_word", fastupdate=False),
            # A word that many answers have is found faster by looking through the newest.
            models.Index(fields=["organisation", "-answered_at"], name="search_in_organisation"),
            models.Index(fields=["interview", "-answered_at"], name="search_in_interview"),
            models.Index(fields=["-answered_at"], name="search_newest"),
        ]

    def __str__(self) -> str:
        return str(self.answer_id)
