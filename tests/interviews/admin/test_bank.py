"""The question bank's list and form, and picking questions into an interview."""

import pytest
from django.urls import reverse

from accounts.models import Membership
from interviews.actions import bank
from interviews.models import BankQuestion, Interview, Vocabulary
from tests import factories

pytestmark = pytest.mark.usefixtures("clean_redis")

Role = Membership.Role
LIST = "admin:interviews_bankquestion_changelist"


@pytest.fixture
def kept(ours):
    return factories.BankQuestionFactory(organisation=ours, text="How do you test?", tags="Python, testing")


def pick_address(interview):
    return reverse("admin:interviews_bankquestion_pick", args=[interview.pk])


def test_list_shows_how_each_question_does_in_a_constant_number_of_queries(
    client, member, ours, kept, django_assert_max_num_queries
):
    member()
    client.get(reverse(LIST))
    page = client.get(reverse(LIST)).content.decode()
    assert "How do you test?" in page
    assert "Python, testing" in page
    factories.BankQuestionFactory.create_batch(24, organisation=ours)
    with django_assert_max_num_queries(16):
        assert client.get(reverse(LIST), {"q": ""}).status_code == 200


def test_question_that_is_spoken_can_be_heard_in_the_list_and_when_it_is_picked(
    client, member, interview, kept
):
    member()
    Vocabulary.objects.create(organisation=interview.organisation, language="en", text="test = tesst")
    address = f'data-listen="/speech/{bank.speech_name(kept)}.flac"'
    for page in (reverse(LIST), pick_address(interview)):
        assert address not in client.get(page).content.decode()

    factories.SpeechFactory(key=bank.speech_name(kept), ready=True)

    for page in (reverse(LIST), pick_address(interview)):
        assert address in client.get(page).content.decode()
    assert bank.speech_names([kept]) == {kept.pk: bank.speech_name(kept)}


def test_question_is_added_with_tidy_tags_for_the_only_organisation(client, member, ours):
    recruiter = member()
    posted = {"text": "Why here?", "language": "en", "tags": " a,,b ,A", "competencies": ""}
    times = {"think_seconds": 30, "answer_limit_seconds": 90, "retakes": 1}
    response = client.post(reverse("admin:interviews_bankquestion_add"), posted | times)
    question = BankQuestion.objects.get()
    assert response.status_code == 302
    assert (question.tags, question.organisation, question.created_by) == ("a, b", ours, recruiter)
    page = client.get(reverse("admin:interviews_bankquestion_change", args=[question.pk])).content.decode()
    assert "being prepared" in page, "it is spoken"


def test_ticked_questions_are_added_to_the_interview(client, member, interview, kept):
    member()
    assert "How do you test?" in client.get(pick_address(interview)).content.decode()

    response = client.post(pick_address(interview), {"question": [kept.pk, "x", "9" * 30]})

    assert response["Location"] == reverse("admin:interviews_interview_change", args=[interview.pk])
    assert interview.questions.last().source == kept
    assert "in this interview" in client.get(pick_address(interview)).content.decode()
    again = client.post(pick_address(interview), {"question": [kept.pk]})
    assert again["Location"] == pick_address(interview)
    assert interview.questions.count() == 3


def test_search_answers_with_the_matches_alone(client, member, ours, interview, kept):
    member()
    factories.BankQuestionFactory(organisation=ours, text="Where are you?")
    response = client.get(pick_address(interview), {"q": "python"}, headers={"HX-Request": "true"})
    content = response.content.decode()
    assert "How do you test?" in content
    assert "Where are you?" not in content
    assert "<html" not in content
    assert "1 question" in content


def test_what_is_ticked_stays_ticked_in_another_search(client, member, ours, interview, kept):
    member()
    other = factories.BankQuestionFactory(organisation=ours, text="Where are you?")
    response = client.get(
        pick_address(interview), {"q": "where", "question": kept.pk}, headers={"HX-Request": "true"}
    )
    content = response.content.decode()
    assert f'value="{kept.pk}" checked' in content
    assert f'value="{other.pk}">' in content


def test_question_of_an_interview_is_kept_and_the_button_becomes_a_link(client, member, interview):
    member()
    question = interview.questions.first()
    change = reverse("admin:interviews_interview_change", args=[interview.pk])
    keep = reverse("admin:interviews_bankquestion_keep", args=[question.pk])
    assert keep in client.get(change).content.decode()

    content = client.post(keep).content.decode()

    kept = BankQuestion.objects.get()
    assert kept.text == question.text
    assert reverse("admin:interviews_bankquestion_change", args=[kept.pk]) in content
    assert keep not in client.get(change).content.decode()


def test_other_organisations_questions_and_interviews_are_not_found(
    client, member, theirs, interview, foreign_interview
):
    member()
    foreign = factories.BankQuestionFactory(organisation=theirs, text="Secret question?")
    keep = reverse("admin:interviews_bankquestion_keep", args=[foreign_interview.questions.first().pk])
    assert "Secret question?" not in client.get(reverse(LIST)).content.decode()
    assert "Secret question?" not in client.get(pick_address(interview)).content.decode()
    assert client.get(pick_address(foreign_interview)).status_code == 404
    assert client.post(keep).status_code == 404
    client.post(pick_address(interview), {"question": [foreign.pk]})
    assert interview.questions.count() == 2


def test_reviewer_reads_the_bank_and_changes_nothing(client, member, interview, kept):
    member(Role.REVIEWER)
    assert "How do you test?" in client.get(reverse(LIST)).content.decode()
    assert client.get(pick_address(interview)).status_code == 404
    page = client.get(reverse("admin:interviews_interview_change", args=[interview.pk])).content.decode()
    assert "data-move=" not in page
    assert "bankquestion/keep/" not in page


def test_questions_have_buttons_to_move_them_and_the_theme_drags_them(client, member, interview):
    member()
    page = client.get(reverse("admin:interviews_interview_change", args=[interview.pk])).content.decode()
    assert page.count('data-move="-1"') == Interview.objects.get().questions.count() + 1, (
        "one is the empty form's"
    )
    assert "x-sort:handle" in page
