"""What a language model suggests is shown after the own score only, and says when it is stale."""

import json

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Membership
from interviews.actions import corrections, scorecards
from interviews.models import Answer, DraftEvaluation, DraftRequest, Suggestion
from interviews.queries import suggestions
from tests import factories
from tests.access import addresses, organisation
from tests.interviews.exports.test_judgement import text_of
from voice.models import Transcript

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]

Role = Membership.Role
SECRET = "wombat"
SAID = f"I asked the <b>{SECRET}</b> what it needed. Then I built it."


@pytest.fixture
def drafted(session):
    """A session for whose first criterion a level is suggested, and why none is for the second one."""
    return draft_of(session)


def draft_of(session, said=SAID):
    factories.AnswerFactory(session=session, position=1, accepted=True, transcript=said)
    row = DraftEvaluation.objects.create(
        session=session,
        status="done",
        model=f"{SECRET}-7b",
        run_by="Example Models Ltd",
        prompt_version="sifting/1 grading/1",
        said_key=suggestions.said_key(suggestions.records(session)),
        addressed=[["1", 61.5]],
        made_at=timezone.now(),
    )
    first, second = (each.id for each in session.definition.criteria)
    quote = {"number": "1", "text": f"asked the <b>{SECRET}</b>", "start_s": 0.4}
    Suggestion.objects.create(
        draft=row, criterion=first, level=3, rationale=f"Asked a {SECRET}.", quotes=[quote]
    )
    Suggestion.objects.create(draft=row, criterion=second, reason="unproven")
    sent = {
        "messages": [{"role": "user", "content": SAID}],
        "response_format": {"json_schema": {"name": "sifting"}},
    }
    DraftRequest.objects.create(draft=row, key="a", sent=sent, received='{"kind": "work"}', took_ms=7)
    return session


def address(name, session):
    return reverse(f"admin:interviews_session_{name}", args=[session.pk])


def page(client, session, name="change"):
    return client.get(address(name, session)).content.decode()


def is_shown(text):
    return 'data-testid="suggestion"' in text


def test_suggestion_is_shown_after_the_own_score(client, member, drafted, submit):
    person = member(Role.REVIEWER)
    scorecards.keep(session=drafted, scores={}, by=person, now=timezone.now())
    assert not is_shown(page(client, drafted))

    submit(drafted, person, 1, 2)
    text = page(client, drafted)

    assert is_shown(text)
    assert f"{SECRET}-7b" in text
    assert "Example Models Ltd" in text
    assert "gives a reason" in text
    assert f"Asked a {SECRET}." in text
    assert "does not follow from the words" in text


def test_quote_leads_to_its_second_and_is_text(client, member, drafted, submit):
    submit(drafted, member(Role.REVIEWER), 1, 2)
    text = page(client, drafted)

    assert f'href="{address("change", drafted)}?answer=1&amp;t=0.4" data-moment' in text
    assert f"&lt;b&gt;{SECRET}&lt;/b&gt;" in text
    assert f"<b>{SECRET}" not in text
    assert "?answer=1&amp;t=61.5" in text  # what spoke to whoever assesses


def test_suggestion_comes_with_the_answer_to_the_own_score(client, member, drafted):
    member(Role.REVIEWER)
    levels = {f"level-{each.id}": 1 for each in drafted.definition.criteria}
    response = client.post(address("scorecard", drafted), levels, headers={"HX-Request": "true"})

    assert is_shown(response.content.decode())


def test_person_who_chose_to_see_others_scores_is_not_shown_it(client, member, drafted):
    person = member(Role.OWNER)
    scorecards.show_others(session=drafted, by=person, now=timezone.now())

    assert not is_shown(page(client, drafted))
    assert SECRET not in page(client, drafted, "scorecard_language_model")


@pytest.mark.parametrize(("role", "status"), [(Role.RECRUITER, 200), (Role.REVIEWER, 403)])
def test_recruiter_who_has_scored_reads_what_was_sent(client, member, drafted, submit, role, status):
    submit(drafted, member(role), 1, 2)
    response = client.get(address("scorecard_language_model", drafted))

    assert response.status_code == status
    assert (f"&lt;b&gt;{SECRET}&lt;/b&gt;" in response.content.decode()) == (status == 200)
    assert (address("scorecard_language_model", drafted) in page(client, drafted)) == (status == 200)


@pytest.mark.parametrize("role", [pytest.param(Role.REVIEWER, marks=pytest.mark.proof), Role.OWNER])
def test_who_has_not_scored_finds_it_at_no_address(role):
    rows = organisation.make()
    Suggestion.objects.update(rationale=f"like a {SECRET}")
    DraftEvaluation.objects.update(model=f"{SECRET}-7b", made_at=timezone.now())
    client = Client()
    client.force_login(factories.MembershipFactory(organisation=rows.organisation, role=role).user)

    told = {
        each.template
        for each in addresses.read_by_staff(rows)
        if SECRET.encode() in addresses.body(client.get(each.path))
    }
    assert told == set()


def test_key_of_a_program_finds_it_at_no_address():
    rows = organisation.make()
    Suggestion.objects.update(rationale=f"like a {SECRET}")
    DraftEvaluation.objects.update(model=f"{SECRET}-7b", made_at=timezone.now())
    key = factories.ApiKeyFactory(organisation=rows.organisation).plain
    client = Client(headers={"authorization": f"Bearer {key}"})

    for each in addresses.read_by_staff(rows):
        assert SECRET.encode() not in addresses.body(client.get(each.path)), each.template


# --- Not to be relied on any more ------------------------------------------------------------------


def test_suggestion_about_a_corrected_transcript_says_that_it_is_stale(client, member, drafted, submit):
    person = member(Role.REVIEWER)
    submit(drafted, person, 1, 2)
    assert 'data-testid="stale"' not in page(client, drafted)
    answer = Answer.objects.get(session=drafted)
    corrections.correct(answer=answer, first_word=1, last_word=1, text="told", by=person, now=timezone.now())

    assert 'data-testid="stale"' in page(client, drafted)


def test_level_whose_proof_is_unreliable_now_is_not_shown(client, member, drafted, submit):
    submit(drafted, member(Role.REVIEWER), 1, 2)
    Transcript.objects.update(confidence=0.5)
    text = page(client, drafted)

    assert 'data-testid="stale"' in text
    assert f"Asked a {SECRET}." not in text
    assert "not recognised well enough: listen" in text


@pytest.mark.parametrize("kind", ["page", "json", "pdf"])
def test_level_whose_proof_does_not_stand_in_the_transcript_any_more_is_not_shown(
    client, member, drafted, submit, kind
):
    person = member(Role.OWNER)
    submit(drafted, person, 1, 2)
    Suggestion.objects.filter(level=None).update(reason="nothing_said")
    answer = Answer.objects.get(session=drafted)
    corrections.correct(answer=answer, first_word=2, last_word=2, text="a", by=person, now=timezone.now())
    text = page(client, drafted) if kind == "page" else text_of(client, drafted, kind)

    assert f"Asked a {SECRET}." not in text
    assert "does not follow from the words" in text


def test_level_stays_where_other_words_were_corrected(drafted):
    answer = Answer.objects.get(session=drafted)
    factories.CorrectionFactory(answer=answer, first_word=0, text="We", is_by_candidate=False)

    assert suggestions.of(drafted).suggested[0].level == 3


@pytest.mark.parametrize(
    ("status", "words"),
    [("waiting", "has not answered yet"), ("failed", "could not be reached"), ("ended", "")],
)
def test_draft_that_is_not_made_says_so(client, member, drafted, submit, status, words):
    submit(drafted, member(Role.REVIEWER), 1, 2)
    DraftEvaluation.objects.update(status=status)
    text = page(client, drafted)

    assert is_shown(text) == bool(words)
    assert words in text
    assert f"Asked a {SECRET}." not in text


# --- Taken away ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["json", "pdf"])
def test_exports_have_it_for_who_has_scored(client, member, drafted, submit, kind):
    person = member(Role.OWNER)
    assert f"Asked a {SECRET}" not in text_of(client, drafted, kind)
    submit(drafted, person, 1, 2)

    text = text_of(client, drafted, kind)
    assert f"{SECRET}-7b" in text
    assert f"Asked a {SECRET}." in text
    assert "sifting/1 grading/1" in text
    assert "does not follow" in text
    if kind == "json":
        exported = json.loads(text)["evaluation"]["draft_evaluation"]
        assert exported["rubric_version"] == 1
        assert not exported["is_stale"]
        assert [each["level"] for each in exported["levels"]] == [3, None]
        assert exported["levels"][0]["quotes"] == [
            {"answer": "1", "start_s": 0.4, "text": f"asked the <b>{SECRET}</b>"}
        ]


# --- Switched on -----------------------------------------------------------------------------------


@pytest.mark.parametrize("is_used", [True, False])
def test_levels_are_suggested_where_the_organisation_uses_a_model(
    client, member, interview, settings, is_used
):
    settings.LLM_BASE_URL, settings.LLM_MODEL, settings.LLM_NAME = "http://127.0.0.1:9/v1", "small", "Models"
    factories.Organisation.objects.update(is_language_model_used=is_used)
    member(Role.RECRUITER)
    text = client.get(reverse("admin:interviews_interview_change", args=[interview.pk])).content.decode()

    assert ("is_evaluation_drafted" in text) == is_used
