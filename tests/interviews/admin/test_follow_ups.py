"""Recruiters set follow-ups where there is a language model, and read what it was sent."""

import pytest
from django.urls import reverse

from accounts.models import Membership
from interviews.models import Exchange
from tests import factories
from tests.vendors.language_model import NAME

Role = Membership.Role
FIELD = 'name="questions-0-follow_ups"'


def interview_page(client, interview):
    return client.get(reverse("admin:interviews_interview_change", args=[interview.pk])).content.decode()


@pytest.fixture
def model_settings(settings):
    settings.LLM_BASE_URL, settings.LLM_MODEL, settings.LLM_NAME = "http://127.0.0.1:9/v1", "small", NAME


@pytest.fixture
def answer(interview):
    session = factories.SessionFactory(invitation__interview=interview, finished=True)
    answer = factories.AnswerFactory(session=session, position=1, accepted=True)
    factories.AnswerFactory(
        session=session, position=1, follow_up=1, kind="follow_up", accepted=True, question_text="And then?"
    )
    Exchange.objects.create(
        answer=answer,
        model="small",
        prompt_version="follow_up/1",
        sent={"messages": [{"role": "user", "content": "<b>I built</b>"}]},
        received='{"question": "And then?"}',
        outcome=Exchange.Outcome.ASKED,
        took_ms=700,
    )
    return answer


def review_page(client, answer):
    return client.get(reverse("admin:interviews_session_change", args=[answer.session_id])).content.decode()


def exchange_url(answer):
    return reverse("admin:interviews_session_exchange", args=[answer.session_id, answer.pk])


def test_follow_ups_are_set_where_the_organisation_uses_a_model(client, member, interview, model_settings):
    member(Role.RECRUITER)
    assert FIELD not in interview_page(client, interview)

    factories.Organisation.objects.update(is_language_model_used=True)
    assert FIELD in interview_page(client, interview)


def test_without_a_model_there_is_nothing_to_set(client, member, interview):
    factories.Organisation.objects.update(is_language_model_used=True)
    member(Role.RECRUITER)

    assert FIELD not in interview_page(client, interview)


@pytest.mark.parametrize("is_there", [True, False])
def test_owner_turns_the_model_on_where_there_is_one(client, member, ours, settings, is_there):
    settings.LLM_NAME = NAME if is_there else ""
    member(Role.OWNER)
    page = client.get(reverse("admin:accounts_organisation_change", args=[ours.pk])).content.decode()

    assert ("is_language_model_used" in page) == is_there


def test_follow_up_stands_after_its_question(client, member, answer):
    member(Role.REVIEWER)
    page = review_page(client, answer)

    assert page.index(answer.question_text) < page.index("And then?")
    assert 'data-answer="1.1"' in page
    assert page.count("Follow-up question of the language model") == 1


def test_scripted_follow_up_is_told_as_one(client, member, answer):
    answer.session.answers.filter(follow_up=1).update(is_scripted=True)
    member(Role.REVIEWER)
    page = review_page(client, answer)

    assert page.count("Scripted follow-up question") == 1
    assert "Follow-up question of the language model" not in page


def test_recruiter_reads_what_the_model_was_sent(client, member, answer):
    member(Role.RECRUITER)
    assert exchange_url(answer) in review_page(client, answer)
    page = client.get(exchange_url(answer)).content.decode()

    assert "&lt;b&gt;I built&lt;/b&gt;" in page
    assert "And then?" in page
    assert "700 ms" in page
    assert "follow_up/1" in page


def test_reviewer_does_not(client, member, answer):
    member(Role.REVIEWER)

    assert exchange_url(answer) not in review_page(client, answer)
    assert client.get(exchange_url(answer)).status_code == 404


def test_answer_without_an_exchange_has_no_such_page(client, member, answer):
    member(Role.RECRUITER)
    other = answer.session.answers.get(follow_up=1)

    assert client.get(exchange_url(other)).status_code == 404
