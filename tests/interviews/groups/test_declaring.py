"""The candidate's page after the interview: voluntary, once, and never in the way."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from interviews.actions import attempts, groups
from interviews.actions.errors import BadValue, WrongState
from interviews.models import GroupDeclaration
from interviews.texts.groups import RACE, SEX
from tests import factories
from tests.interviews.groups.conftest import ASIAN, FEMALE, IN_QUARTER, SETTLED, count

pytestmark = pytest.mark.django_db


@pytest.fixture
def finished(make_finished):
    return make_finished(finished_at=timezone.now())


def page(session) -> str:
    return reverse("interviews:groups", args=[session.invitation.token])


def declare(session, **said: str) -> None:
    groups.declare(
        invitation=session.invitation,
        groups_named=said or {SEX: FEMALE},
        key=uuid4(),
        by=session.invitation,
        now=timezone.now(),
    )


def declared() -> list:
    return [row.groups for row in GroupDeclaration.objects.all()]


def test_form_says_what_it_is_for_and_has_nothing_chosen(client, finished):
    shown = client.get(page(finished)).content.decode()
    assert "You need not answer" in shown
    assert shown.count("checked") == 2, "I prefer not to say, twice"
    assert "Native Hawaiian or Pacific Islander" in shown


def test_what_is_said_is_kept_and_not_shown_again(client, finished):
    assert client.post(page(finished), {"question_0": FEMALE, "question_1": ""}).status_code == 200
    assert declared() == [{SEX: FEMALE}]
    shown = client.get(page(finished)).content.decode()
    assert shown.count("checked") == 2
    assert f'value="{FEMALE}" checked' not in shown


def test_sent_again_it_replaces_and_silence_takes_it_back(client, finished):
    client.post(page(finished), {"question_0": FEMALE})
    client.post(page(finished), {"question_1": "eeo1.asian"})
    assert declared() == [{RACE: "eeo1.asian"}]
    client.post(page(finished), {})
    assert declared() == [{}]


def test_another_browser_changes_nothing_and_is_not_told(client, finished):
    """Recruiters have the link: they could send known groups for everyone but one."""
    client.post(page(finished), {"question_0": FEMALE})
    told = []
    for said in ({"question_0": "eeo1.male"}, {}):
        response = Client().post(page(finished), said)
        told.append((response.status_code, response.content))
    assert declared() == [{SEX: FEMALE}]
    first = Client().post(page(finished), {"question_0": "eeo1.male"})
    assert set(told) == {(first.status_code, first.content)}


def test_silence_is_an_answer_that_another_browser_cannot_replace(client, finished):
    client.post(page(finished), {"question_0": "", "question_1": ""})
    Client().post(page(finished), {"question_0": FEMALE})
    assert declared() == [{}]


def test_cookie_of_one_interview_is_none_for_another(client, finished, make_finished):
    client.post(page(finished), {"question_0": FEMALE})
    other = make_finished(ASIAN, finished_at=timezone.now())
    moved = Client()
    moved.cookies["groups"] = client.cookies["groups"].value
    moved.post(page(other), {"question_0": FEMALE})
    assert declared() == [{SEX: FEMALE}, {SEX: ASIAN}]


def test_what_was_said_can_be_taken_back_after_it_was_switched_off(client, finished, survey):
    client.post(page(finished), {"question_0": FEMALE})
    survey.is_asked = False
    survey.save()
    shown = client.get(page(finished))
    assert shown.status_code == 410
    assert 'data-testid="take-back"' in shown.content.decode()
    assert client.post(page(finished), {"question_0": "eeo1.male"}).status_code == 410
    assert declared() == [{SEX: FEMALE}]
    assert client.post(page(finished), {}).status_code == 200
    assert declared() == [{}]


@pytest.mark.parametrize(
    "said",
    [
        *({"question_0": "eeo1.asian"}, {"question_0": "<script>"}, {"question_0": "a\0b"}),
        *({"question_0": "x" * 100_000}, {"question_1": "eeo1"}),
    ],
)
def test_what_was_not_offered_is_not_kept(client, finished, said):
    response = client.post(page(finished), said)
    assert response.status_code == 422
    assert b"<script>" not in response.content.replace(b"<script type", b"").replace(b"<script src", b"")
    assert declared() == []


def test_further_fields_change_nothing(client, finished):
    client.post(page(finished), {"question_2": FEMALE, "invitation": "1", SEX: FEMALE})
    assert declared() == [{}]


def test_action_refuses_what_is_not_offered(finished):
    for said in ({SEX: "eeo1.asian"}, {"age": "30"}):
        with pytest.raises(BadValue):
            declare(finished, **said)


def test_own_questions_are_asked_as_they_are_written(client, finished, survey):
    survey.text = "Age <b>group</b>?\n- under 30\n- 30 or older"
    survey.save()
    assert "Age &lt;b&gt;group&lt;/b&gt;?" in client.get(page(finished)).content.decode()
    client.post(page(finished), {"question_0": "under 30"})
    assert declared() == [{"Age <b>group</b>?": "under 30"}]


@pytest.mark.parametrize("status", ["checking", "under_way"])
def test_nothing_is_asked_before_the_end(client, interview, status):
    session = factories.SessionFactory(invitation__interview=interview, status=status)
    for response in (client.get(page(session)), client.post(page(session), {"question_0": FEMALE})):
        assert response["Location"] == reverse("interviews:landing", args=[session.invitation.token])
    with pytest.raises(WrongState):
        declare(session)


def test_nothing_is_asked_where_the_organisation_does_not_want_it(client, finished, survey):
    survey.is_asked = False
    survey.save()
    assert client.get(page(finished)).status_code == 410
    assert client.post(page(finished), {"question_0": FEMALE}).status_code == 410
    assert declared() == []
    assert 'groups_path": ""' in client.get(room(finished)).content.decode()


def test_organisation_asks_nothing_by_itself(client):
    session = factories.SessionFactory(finished=True)
    assert client.get(page(session)).status_code == 410


def room(session) -> str:
    return reverse("interviews:room", args=[session.invitation.token])


def test_last_page_of_the_interview_has_the_link(client, interview):
    session = factories.SessionFactory(invitation__interview=interview, status="under_way")
    assert page(session) in client.get(room(session)).content.decode()


def test_nothing_is_asked_once_it_was_counted(client, quarter, make_finished):
    late = make_finished(finished_at=IN_QUARTER)
    count(SETTLED)
    assert client.post(page(late), {"question_0": FEMALE}).status_code in (302, 410)
    with pytest.raises(WrongState):
        declare(late)
    assert declared() == []


def test_unknown_and_closed_links_lead_to_the_page_that_says_so(client, make_finished):
    old = make_finished(finished_at=timezone.now() - timedelta(days=60))
    for address in (page(old), reverse("interviews:groups", args=["unknown"])):
        assert client.post(address, {"question_0": FEMALE}).status_code == 302
    assert declared() == []


def test_trial_is_asked_as_a_candidate_is(client, interview):
    session = factories.SessionFactory(
        invitation__interview=interview, invitation__tried=interview.published, finished=True
    )
    assert client.get(page(session)).status_code == 200


def test_candidate_who_begins_again_is_asked_again(client, finished):
    client.post(page(finished), {"question_0": FEMALE})
    attempts.reset(invitation=finished.invitation, by="test", now=timezone.now())
    assert client.get(page(finished)).status_code == 302
    assert declared() == [{SEX: FEMALE}], "it goes on to belong to the candidate"


def test_page_about_personal_data_says_that_groups_are_kept_but_not_whether(client, finished, survey):
    address = reverse("interviews:data", args=[finished.invitation.token])
    before = client.get(address)
    assert b"Groups, if you named any" in before.content
    client.post(page(finished), {"question_0": FEMALE})
    after = client.get(address)
    assert after.context["holdings"] == before.context["holdings"]
    assert FEMALE.encode() not in after.content
    survey.delete()
    assert b"Groups, if you named any" not in client.get(address).content


def test_nothing_leads_from_a_candidate_to_what_was_said(finished):
    """So no lookup, filter or list can reach it."""
    names = {field.name for field in finished.invitation._meta.get_fields()}
    assert not any("group" in name for name in names)
    assert not hasattr(finished.invitation, "groupdeclaration")


def test_nothing_is_logged_of_what_is_said(client, finished, caplog):
    caplog.set_level("DEBUG")
    client.post(page(finished), {"question_0": FEMALE})
    assert "female" not in caplog.text.lower()
    assert str(finished.invitation_id) not in caplog.text
