"""How questions of the bank do, read in a constant number of queries."""

import pytest
from django.utils import timezone

from accounts.models import User
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


def usage_of(*ids, user=None):
    return usages.usage(ids, user or User(is_superuser=True))


def test_usage_counts_interviews_and_the_middle_of_the_answers(organisation):
    kept, copies = used(organisation, 2)
    for copy, seconds in zip([copies[0], copies[0], copies[1]], (10, 20, 90), strict=True):
        answered(copy, seconds)
    unused = factories.BankQuestionFactory(organisation=organisation)

    usage = usage_of(kept.pk, unused.pk)

    assert (usage[kept.pk].interviews, usage[kept.pk].answers, usage[kept.pk].median_s) == (2, 3, 20)
    assert usage[unused.pk] == usages.Usage()


@pytest.mark.parametrize("is_trial", [True, False], ids=["trial", "set aside"])
def test_trials_and_attempts_set_aside_are_left_out(organisation, is_trial):
    kept, [copy] = used(organisation)
    tried = {"tried": factories.publish(copy.interview)}
    answer = answered(copy, 5, **(tried if is_trial else {"set_aside_of": factories.InvitationFactory()}))
    Answer.objects.filter(pk=answer.pk).update(speech_key="key")
    factories.SpeechFactory(key="key", misheard="Kafka")
    usage = usage_of(kept.pk)[kept.pk]
    assert (usage.answers, usage.spoken) == (0, 0)


def test_reviewer_by_assignment_gets_figures_of_the_own_candidates(organisation):
    organisation.is_review_by_assignment = True
    organisation.save()
    reviewer = factories.MembershipFactory(organisation=organisation, role="reviewer").user
    kept, [copy] = used(organisation)
    own, _other = answered(copy, 5), answered(copy, 90)
    own.session.assignments.create(reviewer=reviewer)
    usage = usage_of(kept.pk, user=reviewer)[kept.pk]
    assert (usage.answers, usage.median_s) == (1, 5)


def test_misheard_counts_renditions_that_a_recogniser_has_judged(organisation):
    kept, copies = used(organisation, 3)
    for copy, misheard in zip(copies, ("Kafka Redis", "", None), strict=True):
        answer = answered(copy, 5)
        key = f"{copy.pk:064}"
        Answer.objects.filter(pk=answer.pk).update(speech_key=key)
        factories.SpeechFactory(key=key, misheard=misheard)
    Speech.objects.create(key="other", text="other", misheard="elsewhere")

    usage = usage_of(kept.pk)[kept.pk]

    assert (usage.spoken, usage.misheard, usage.words) == (2, 1, {"Kafka", "Redis"})


def test_number_of_queries_does_not_grow_with_the_questions(organisation, django_assert_num_queries):
    for _ in range(3):
        for copy in used(organisation)[1]:
            answered(copy, 5)
    ids = list(BankQuestion.objects.values_list("pk", flat=True))
    for some in (ids[:1], ids):
        with django_assert_num_queries(4):
            usage_of(*some)


@pytest.mark.parametrize(
    ("wanted", "count"), [("", 2), ("team", 1), ("PYTHON", 1), ("team python", 0), ("owner", 1), ("a\0b", 0)]
)
def test_words_are_looked_for_in_text_tags_and_competencies(organisation, wanted, count):
    factories.BankQuestionFactory(organisation=organisation, text="How did your team decide?", tags="lead")
    factories.BankQuestionFactory(
        organisation=organisation, text="Why?", tags="Python", competencies="ownership"
    )
    assert usages.matching(BankQuestion.objects.all(), wanted).count() == count
