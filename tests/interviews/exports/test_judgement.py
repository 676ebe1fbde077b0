"""Scores and decisions leave with those who may see them, and with nobody else."""

import csv
import io
import json

import pypdf
import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Membership
from interviews.actions import decisions, notes, scorecards
from tests import factories
from tests.interviews.evaluation.conftest import (  # noqa: F401
    assigned,
    interview,
    make_session,
    reviewer,
    scores,
    session,
    submit,
)

pytestmark = pytest.mark.django_db
Role = Membership.Role


@pytest.fixture
def judged(session, reviewer, submit):  # noqa: F811
    """Anna and Ben have scored, there is a draft and a private note, and an owner has decided."""
    anna, ben, olga = reviewer("anna"), reviewer("ben"), reviewer("olga", Role.OWNER)
    now = timezone.now()
    submit(session, anna, 4, 0, note="a wombat said so")
    submit(session, ben, 1, 3)
    submit(session, ben, 2, 3)
    scorecards.keep(session=session, scores=scores(session, 1, 1, note="a draft"), by=olga, now=now)
    notes.write(session=session, text="a private thought", is_shared=False, by=olga, now=now)
    decisions.decide(
        session=session, outcome="advance", reason="clear and kind", after=None, by=olga, now=now
    )
    return session


def text_of(client, session, kind):  # noqa: F811
    content = client.get(reverse(f"admin:interviews_session_export_{kind}", args=[session.pk])).content
    if kind == "json":
        return content.decode()
    pages = pypdf.PdfReader(io.BytesIO(content)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


def table_of(client, *sessions):
    chosen = {"action": "export_csv", "_selected_action": [str(each.pk) for each in sessions]}
    response = client.post(reverse("admin:interviews_session_changelist"), chosen)
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return {row["id"]: row for row in csv.DictReader(io.StringIO(text, newline=""))}


def see(user, session):  # noqa: F811
    scorecards.show_others(session=session, by=user, now=timezone.now())


def test_pdf_has_decision_and_scores(client, member, judged):
    see(member(Role.RECRUITER), judged)
    text = text_of(client, judged, "pdf")
    for said in (
        *("Scores and decision", "Decision Advance", "Reason clear and kind", ", olga"),
        *("anna submitted", "Candour 4 of 4: weighs reasons a wombat said so"),
        *("Craft the answers give no basis", "ben submitted", "2 of 4: names it", "knew others' judgement"),
    ):
        assert said in text, said


def test_json_has_decision_and_what_was_submitted_last(client, member, judged):
    see(member(Role.RECRUITER), judged)
    found = json.loads(text_of(client, judged, "json"))["evaluation"]
    assert (found["decision"]["outcome"], found["decision"]["decided_by"]) == ("advance", "olga")
    assert [
        (card["reviewer"], card["is_blind"], [each["level"] for each in card["scores"]])
        for card in found["scorecards"]
    ] == [("anna", True, [4, None]), ("ben", False, [2, 3])]


@pytest.mark.parametrize("kind", ["pdf", "json"])
def test_drafts_and_private_notes_never_leave(client, judged, kind):
    client.force_login(judged.decisions.get().decided_by)
    see(judged.decisions.get().decided_by, judged)
    text = text_of(client, judged, kind)
    assert "a wombat" in text
    assert "a draft" not in text
    assert "a private thought" not in text


@pytest.mark.parametrize("kind", ["pdf", "json"])
def test_recruiter_who_has_not_chosen_to_see_scores_gets_the_decision_only(client, member, judged, kind):
    member(Role.RECRUITER)
    text = text_of(client, judged, kind)
    assert "clear and kind" in text
    assert "wombat" not in text


@pytest.mark.parametrize("kind", ["pdf", "json"])
def test_owner_who_is_still_to_score_gets_nothing(client, member, judged, assigned, kind):  # noqa: F811
    assigned(judged, member(Role.OWNER))
    text = text_of(client, judged, kind)
    assert "clear and kind" not in text
    assert "wombat" not in text
    assert "advance" not in text.lower()


def test_programs_get_no_judgement(client, clean_redis, judged):
    key = factories.ApiKeyFactory(organisation=judged.interview.organisation).plain
    address = f"/api/v1/sessions/{judged.pk}/export"
    found = client.get(address, headers={"authorization": f"Bearer {key}"}).json()
    assert found["evaluation"] is None


def test_list_has_decision_count_and_means(client, member, judged, make_session):  # noqa: F811
    see(member(Role.RECRUITER), judged)
    other = make_session()
    table = table_of(client, judged, other)
    title = judged.interview.title
    row = table[str(judged.pk)]
    assert (row["decision"], row["scorecards"]) == ("advance", "2")
    assert (row[f"score: Candour ({title})"], row[f"score: Craft ({title})"]) == ("3", "3")
    row = table[str(other.pk)]
    assert (row["decision"], row["scorecards"], row[f"score: Candour ({title})"]) == ("not decided", "0", "")


def test_list_hides_what_the_page_hides(client, member, judged, assigned):  # noqa: F811
    recruiter = member(Role.RECRUITER)
    column = f"score: Candour ({judged.interview.title})"
    row = table_of(client, judged)[str(judged.pk)]
    assert (row["decision"], row[column]) == ("advance", "after your score")
    assigned(judged, recruiter)
    row = table_of(client, judged)[str(judged.pk)]
    assert (row["decision"], row[column]) == ("after your score", "after your score")


def test_list_takes_the_same_number_of_queries_for_any_number_of_scores(
    client,
    member,
    judged,
    make_session,  # noqa: F811
    submit,  # noqa: F811
    django_assert_max_num_queries,
):
    user = member(Role.RECRUITER)
    more = [make_session() for _ in range(8)]
    for one in more:
        submit(one, user, 1, 2)
    with django_assert_max_num_queries(16):
        assert len(table_of(client, judged, *more)) == 9
