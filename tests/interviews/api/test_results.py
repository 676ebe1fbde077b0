"""Results, candidates and settings as programs read them. A key finds no row of another organisation."""

import pytest
from django.utils import timezone

from accounts.models import ApiKey
from interviews.actions import decisions, scorecards
from tests import factories
from tests.interviews.evaluation.conftest import (  # noqa: F401
    interview,
    make_session,
    reviewer,
    scores,
    session,
    submit,
)
from tests.staff import member, ours, theirs  # noqa: F401

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]
Scope = ApiKey.Scope


@pytest.fixture
def api(calling, ours):  # noqa: F811
    return calling(ours)


@pytest.fixture
def foreign(calling):
    return calling(factories.OrganisationFactory())


@pytest.fixture
def judged(session, reviewer, submit):  # noqa: F811
    anna, olga = reviewer("anna"), reviewer("olga", "owner")
    now = timezone.now()
    submit(session, anna, 4, 0, note="clear")
    scorecards.keep(session=session, scores=scores(session, 1, 1, note="a draft"), by=olga, now=now)
    decisions.decide(session=session, outcome="advance", reason="kind", after=None, by=olga, now=now)
    return session


def ids(body, name="id"):
    return [item[name] for item in body["items"]]


def test_key_with_the_scope_reads_what_was_submitted_and_decided(api, judged):
    status, body = api("get", f"/sessions/{judged.pk}/evaluation")

    assert status == 200
    assert (body["decision"]["outcome"], body["decision"]["reason"]) == ("advance", "kind")
    [card] = body["scorecards"]
    assert (card["reviewer"], [score["level"] for score in card["scores"]]) == ("anna", [4, None])
    assert "a draft" not in str(body)


def test_document_has_the_judgement_for_keys_that_may_read_it(calling, ours, judged):  # noqa: F811
    path = f"/sessions/{judged.pk}/export"
    _status, without = calling(ours, Scope.RESULTS_READ)("get", path)
    _status, with_scores = calling(ours, Scope.RESULTS_READ, Scope.SCORES_READ)("get", path)

    assert without["evaluation"] is None
    assert with_scores["evaluation"]["decision"]["outcome"] == "advance"


def test_transcript_has_its_layers(api, session):  # noqa: F811
    answer = factories.AnswerFactory(
        session=session, position=7, accepted=True, transcript="I bought the bees"
    )
    for first, text, is_by_candidate in ((1, "brought", False), (2, "my", True)):
        factories.CorrectionFactory(
            answer=answer, first_word=first, last_word=first, text=text, is_by_candidate=is_by_candidate
        )
    _status, body = api("get", f"/answers/{answer.pk}/transcript")

    assert body["text"] == "I bought the bees"
    assert body["corrected_text"] == "I brought my bees"
    assert [(each["text"], each["source"]) for each in body["wording"]] == [
        *(("I", "recognised"), ("brought", "reviewer"), ("my", "candidate"), ("bees", "recognised")),
    ]
    assert body["wording"][1]["start"] == body["words"][1]["start"]
    assert len(body["corrections"]) == 2


@pytest.mark.parametrize(
    ("wanted", "is_found"),
    [
        ({}, True),
        ({"status": "finished"}, True),
        ({"status": "abandoned"}, False),
        ({"candidate_email": "ZOE@example.com"}, True),
        ({"candidate_email": "other@example.com"}, False),
        ({"finished_from": "2020-01-01T00:00:00Z"}, True),
        ({"finished_before": "2020-01-01T00:00:00Z"}, False),
        ({"interview_id": "0d6f0000-0000-4000-8000-000000000000"}, False),
    ],
)
def test_sessions_are_found_by_filters(api, foreign, session, wanted, is_found):  # noqa: F811
    session.invitation.candidate_email = "zoe@example.com"
    session.invitation.save()

    status, body = api("get", "/sessions", **wanted)

    assert (status, ids(body)) == (200, [str(session.pk)] if is_found else [])
    assert foreign("get", "/sessions", **wanted)[1]["items"] == []


def test_candidate_is_one_person_across_interviews(api, foreign, session):  # noqa: F811
    first = session.invitation
    first.candidate_email = "zoe@example.com"
    first.save()
    second = factories.InvitationFactory(interview=first.interview, candidate_email="Zoe@Example.com")
    factories.InvitationFactory(interview=first.interview, candidate_name="Bea", candidate_email="")

    _status, listed = api("get", "/candidates")
    _status, one = api("get", f"/candidates/{first.pk}")

    assert [(each["id"], each["invitation_count"]) for each in listed["items"]][1] == (str(second.pk), 2)
    assert [each["session_id"] for each in one["invitations"]] == [None, str(session.pk)]
    assert ids(api("get", "/candidates", search="BEA")[1]) == ids(listed)[:1]
    assert foreign("get", "/candidates")[1]["items"] == []
    assert foreign("get", f"/candidates/{first.pk}")[0] == 404


def test_key_for_tests_sees_no_real_candidate(api, calling, ours, session):  # noqa: F811
    ApiKey.objects.update(is_test=True)

    assert api("get", "/sessions")[1]["items"] == []
    for path in ("/candidates", f"/candidates/{session.invitation_id}", "/exports", "/events", "/webhooks"):
        status, body = api("get", path)
        assert (status, body["code"]) == (403, "test_key"), path
    assert api("get", f"/sessions/{session.pk}/evaluation")[0] == 403


def test_settings_of_the_organisation_are_changed(api, ours):  # noqa: F811
    status, body = api("patch", "/organisation", {"contact_name": "Ada", "accent_colour": "#0b6e4f"})

    assert (status, body["contact_name"], body["slug"]) == (200, "Ada", ours.slug)
    ours.refresh_from_db()
    assert (ours.contact_name, ours.accent_colour) == ("Ada", "#0b6e4f")


def test_settings_that_changed_meanwhile_are_not_overwritten(api, ours):  # noqa: F811
    status, body = api("patch", "/organisation", {"contact_name": "Ada"}, if_match='"0123"')
    assert (status, body["code"]) == (412, "changed_meanwhile")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"accent_colour": "#ffd400"}, "accent_colour"),
        ({"accent_colour": "red"}, "accent_colour"),
        ({"contact_email": "ada"}, "contact_email"),
        ({"contact_phone": "1" * 41}, "contact_phone"),
        ({"is_language_model_used": True}, "is_language_model_used"),
    ],
)
def test_settings_that_cannot_be_are_refused_by_name(api, ours, settings, changes, field):  # noqa: F811
    settings.LLM_NAME = ""
    status, body = api("patch", "/organisation", changes)
    assert status == 422
    assert field in body["detail"]
