"""How questions of the bank do: in how many interviews, how long the answers are, and what is misheard."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db.models import Aggregate, Count, FloatField, Q, QuerySet

from accounts import access
from accounts.models import User
from interviews.models import Answer, BankQuestion, Question
from voice.audio.pcm import BYTES_A_SECOND
from voice.models import Speech

TO_ORGANISATION = "session__invitation__interview__organisation_id"


class Median(Aggregate):
    """The middle value of a column."""

    template = "percentile_cont(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = FloatField()


@dataclass(slots=True)
class Usage:
    """interviews: that have a copy. median_s: of the spoken answers of all candidates; None without any.

    spoken, misheard: how many renditions a recogniser has listened to, and in how many of these it heard a
    word otherwise; words: which ones.
    """

    interviews: int = 0
    answers: int = 0
    median_s: float | None = None
    spoken: int = 0
    misheard: int = 0
    words: set[str] = field(default_factory=set)


def usage(ids: Sequence[int], user: User) -> dict[int, Usage]:
    """Return the usage of each of these questions, in four queries however many they are.

    It counts answers of candidates whom the user may see.
    """
    answers = access.scoped(Answer.objects.counted(), user, path=TO_ORGANISATION)
    found = {key: Usage() for key in ids}
    copies = Question.objects.filter(source__in=ids).order_by().values("source")
    for copied in copies.annotate(n=Count("interview", distinct=True)):
        found[copied["source"]].interviews = copied["n"]
    spoken = answers.filter(question__source__in=ids, recording__byte_count__gt=0).order_by()
    for row in spoken.values("question__source").annotate(
        n=Count("pk"), median=Median("recording__byte_count")
    ):
        of = found[row["question__source"]]
        of.answers, of.median_s = row["n"], row["median"] / BYTES_A_SECOND
    _add_misheard(found, answers)
    return found


def _add_misheard(found: dict[int, Usage], answers: QuerySet[Answer]) -> None:
    asked = answers.filter(question__source__in=found).order_by()
    sources: defaultdict[str, set[int]] = defaultdict(set)
    for source, key in asked.values_list("question__source", "speech_key").distinct():
        sources[key].add(source)
    listened = Speech.objects.filter(pk__in=sources, misheard__isnull=False)
    for key, words in listened.values_list("key", "misheard"):
        for source in sources[key]:
            of = found[source]
            of.spoken += 1
            of.misheard += bool(words)
            of.words |= set((words or "").split())


def matching(questions: QuerySet[BankQuestion], wanted: str) -> QuerySet[BankQuestion]:
    """Return the questions in which each word of `wanted` stands: in the text, a tag or a competency."""
    for word in wanted.replace("\0", "").split():
        in_text, in_tags = Q(text__icontains=word), Q(tags__icontains=word)
        questions = questions.filter(in_text | in_tags | Q(competencies__icontains=word))
    return questions
