"""Questions go from the bank into interviews as copies, and from interviews into the bank."""

import pytest
from django.utils import timezone

from interviews.actions import bank, versions
from interviews.actions.errors import BadValue, WrongState
from interviews.models import BankQuestion, Question
from tests import factories
from voice.models import Speech

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]


@pytest.fixture
def interview():
    return factories.InterviewFactory(questions=2)


@pytest.fixture
def kept(interview):
    return factories.BankQuestionFactory.create_batch(2, organisation=interview.organisation)


def pick(interview, *questions):
    return bank.pick(interview=interview, questions=questions, by=None, now=timezone.now())


def keep(question):
    return bank.keep(question=question, by=None, now=timezone.now())


def test_picked_questions_stand_last_in_the_order_given_and_remember_their_source(interview, kept):
    pick(interview, kept[1], kept[0])

    copies = list(interview.questions.all())[2:]
    assert [copy.source for copy in copies] == [kept[1], kept[0]]
    assert [copy.text for copy in copies] == [kept[1].text, kept[0].text]
    assert copies[0].answer_limit_seconds == kept[1].answer_limit_seconds
    assert Speech.objects.filter(text=kept[0].text).exists(), "it is spoken in the interview's voice"


def test_picking_changes_nothing_for_candidates_before_it_is_published(interview, kept):
    pick(interview, *kept)
    assert len(interview.published.asked) == 2
    assert versions.has_changes(interview)
    version = versions.publish(interview=interview, by=None, now=timezone.now())
    assert [asked.text for asked in version.asked[2:]] == [each.text for each in kept]


def test_change_in_the_bank_leaves_copies_alone_and_its_end_too(interview, kept):
    [copy] = pick(interview, kept[0])
    BankQuestion.objects.filter(pk=kept[0].pk).update(text="Another?")
    copy.refresh_from_db()
    assert copy.text == kept[0].text
    BankQuestion.objects.all().delete()
    copy.refresh_from_db()
    assert copy.source is None


def test_question_that_cannot_be_picked_is_refused_and_none_is_added(interview, kept):
    foreign = factories.BankQuestionFactory()
    german = factories.BankQuestionFactory(organisation=interview.organisation, language="de")
    pick(interview, kept[0])
    for wrong in (foreign, german, kept[0]):
        with pytest.raises(BadValue):
            pick(interview, kept[1], wrong)
    assert interview.questions.count() == 3


def test_archived_interview_gets_no_questions(interview, kept):
    versions.archive(interview=interview, by=None, now=timezone.now())
    with pytest.raises(WrongState):
        pick(interview, *kept)


def test_question_is_kept_once_and_is_spoken(interview):
    question = interview.questions.first()
    first, second = keep(question), keep(Question.objects.get(pk=question.pk))
    assert first == second == BankQuestion.objects.get()
    assert (first.text, first.language, first.organisation) == (question.text, "en", interview.organisation)
    assert Speech.objects.filter(key=bank.speech_name(first)).exists()


def test_copy_of_an_interview_remembers_the_sources_too(interview, kept):
    pick(interview, kept[0])
    copy = versions.duplicate(interview=interview, by=None, now=timezone.now())
    assert copy.questions.last().source == kept[0]
