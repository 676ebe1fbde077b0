"""How questions of the bank do, read in a constant number of queries."""

import pytest
from django.utils import timezone

from interviews.actions import bank
from interviews.models import Answer, BankQuestion, Invitation
from interviews.queries import bank as usages
from tests import factories
from voice.models import Recording, Speech

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]


@pytest.fixture
def organisation():
    return factories.OrganisationFactory()


def used(organisation, n_interviews=1):
    """A question of the bank, picked into interviews; its copies."""
    kept = factories.BankQuestionFactory(organisation=organisation)
    interviews = factories.InterviewFactory.create_batch(n_interviews, organisation=organisation)
    now = timezone.now()
    return kept, [bank.pick(interview=each, questions=[kept], by=None, now=now)[0] for each in interviews]


def answered(copy, seconds, **invitation):
    """A candidate's spoken answer to a copy."""
    session = factories.SessionFactory(
        invitation__interview=copy.interview, definition=factories.publish(copy.interview)
    )
    Invitation.objects.filter(pk=session.invitation_id).update(**invitation)
    answer = factories.AnswerFactory(session=session, question=copy, question_text=copy.text, accepted=True)
    Recording.objects.filter(pk=answer.recording_id).update(byte_count=seconds * 32_000)
    return answer


def test_usage_counts_interviews_and_the_middle_of_the_answers(organisation):
    kept, copies = used(organisation, 2)
    for copy, seconds in zip([copies[0], copies[0], copies[1]], (10, 20, 90), strict=True):
        answered(copy, seconds)
    unused = factories.BankQuestionFactory(organisation=organisation)

    usage = usages.usage([kept.pk, unused.pk])

    assert (usage[kept.pk].interviews, usage[kept.pk].answers, usage[kept.pk].median_s) == (2, 3, 20)
    assert usage[unused.pk] == usages.Usage()


def test_trials_of_recruiters_are_left_out(organisation):
    kept, [copy] = used(organisation)
    answered(copy, 5, tried=factories.publish(copy.interview))
    assert usages.usage([kept.pk])[kept.pk].answers == 0


def test_misheard_counts_renditions_that_a_recogniser_has_judged(organisation):
    kept, copies = used(organisation, 3)
    for copy, misheard in zip(copies, ("Kafka Redis", "", None), strict=True):
        answer = answered(copy, 5)
        key = f"{copy.pk:064}"
        Answer.objects.filter(pk=answer.pk).update(speech_key=key)
        factories.SpeechFactory(key=key, misheard=misheard)
    Speech.objects.create(key="other", text="other", misheard="elsewhere")

    usage = usages.usage([kept.pk])[kept.pk]

    assert (usage.spoken, usage.misheard, usage.words) == (2, 1, {"Kafka", "Redis"})


def test_number_of_queries_does_not_grow_with_the_questions(organisation, django_assert_num_queries):
    for _ in range(3):
        for copy in used(organisation)[1]:
            answered(copy, 5)
    ids = list(BankQuestion.objects.values_list("pk", flat=True))
    for some in (ids[:1], ids):
        with django_assert_num_queries(4):
            usages.usage(some)


@pytest.mark.parametrize(
    ("wanted", "count"), [("", 2), ("team", 1), ("PYTHON", 1), ("team python", 0), ("owner", 1), ("a\0b", 0)]
)
def test_words_are_looked_for_in_text_tags_and_competencies(organisation, wanted, count):
    factories.BankQuestionFactory(organisation=organisation, text="How did your team decide?", tags="lead")
    factories.BankQuestionFactory(
        organisation=organisation, text="Why?", tags="Python", competencies="ownership"
    )
    assert usages.matching(BankQuestion.objects.all(), wanted).count() == count
