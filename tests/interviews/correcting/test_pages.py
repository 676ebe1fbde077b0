"""The candidate's page of what was heard."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from interviews import tokens
from interviews.correcting import limits
from interviews.models import Answer, Correction, InterviewVersion, Invitation, Session
from tests import factories
from voice.models import Recording

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]

HEARD = "I built a small service that reads in voices"
RIGHT = "I built a small service that reads invoices"


@pytest.fixture
def session():
    return factories.SessionFactory(finished=True)


@pytest.fixture
def answer(session):
    return factories.AnswerFactory(session=session, position=1, accepted=True, transcript=HEARD)


def address(answer, name="change_heard", token=None):
    return reverse(f"interviews:{name}", args=[token or answer.session.invitation.token, answer.pk])


def page(client, session, **query):
    return client.get(reverse("interviews:heard", args=[session.invitation.token]), query)


def send(client, answer, what="words", **fields):
    [shown] = [one for one in page(client, answer.session).context["answers"] if one.answer == answer]
    sent = {"what": what, "shown": shown.digest, **fields}
    return client.post(address(answer), sent, follow=True)


def test_page_shows_what_was_heard_and_plays_it(client, answer):
    text = page(client, answer.session).content.decode()
    assert HEARD in text
    assert address(answer, "own_recording") in text
    response = client.get(address(answer, "own_recording"))
    assert (response.status_code, "/recordings/" in response["Location"]) == (302, True)


def test_words_are_saved_and_what_was_heard_first_is_one_click_away(client, answer):
    response = send(client, answer, text=RIGHT)
    text = response.content.decode()
    assert response.redirect_chain[-1][0].endswith("?saved=words&answer=1#answer-1")
    assert f'data-testid="words">{RIGHT}</p>' in text
    assert HEARD in text
    assert '<del lang="en">in voices</del> <ins lang="en">invoices</ins>' in text


def test_hostile_words_are_text(client, answer):
    text = send(client, answer, text=f"{HEARD} <script>alert(1)</script>").content.decode()
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_refused_words_are_shown_again(client, answer):
    response = send(client, answer, text="x" * 900)
    assert response.status_code == 400
    text = response.content.decode()
    assert "x" * 900 in text
    assert 'aria-invalid="true"' in text
    assert not Correction.objects.exists()


def test_flag_is_set_and_taken_back(client, answer):
    assert "You told us that this was heard wrongly" in send(client, answer, "flag").content.decode()
    assert "You told us" not in send(client, answer, "flag-back").content.decode()


def test_unknown_wish_is_refused(client, answer):
    assert send(client, answer, "erase").status_code == 400


def test_reviewers_corrections_are_not_shown(client, answer):
    factories.CorrectionFactory(answer=answer, first_word=0, text="Reviewed", made_by=factories.UserFactory())
    assert "Reviewed" not in page(client, answer.session).content.decode()


def test_answer_of_another_candidate_is_not_found(client, answer):
    other = factories.AnswerFactory(session=factories.SessionFactory(finished=True), accepted=True)
    token = answer.session.invitation.token
    assert client.get(address(other, "own_recording", token)).status_code == 404
    assert client.post(address(other, token=token), {"what": "flag"}).status_code == 404
    assert not Answer.objects.filter(flagged_at__isnull=False).exists()


@pytest.mark.parametrize("when", ["before the end", "closed", "not wanted", "revoked"])
def test_link_that_does_not_show_it_leads_to_the_first_page(client, answer, settings, when):
    landing = reverse("interviews:landing", args=[answer.session.invitation.token])
    if when == "before the end":
        Session.objects.update(status="under_way", finished_at=None)
        Invitation.objects.update(status="started")
    if when == "closed":
        Session.objects.update(finished_at=timezone.now() - timedelta(days=settings.ANSWERS_SHOWN_DAYS))
    if when == "not wanted":
        InterviewVersion.objects.update(is_correcting_allowed=False)
    if when == "revoked":
        Invitation.objects.update(status="revoked")
    for response in (
        page(client, answer.session),
        client.get(address(answer, "own_recording")),
        client.post(address(answer), {"what": "flag"}),
    ):
        assert (response.status_code, response["Location"]) == (302, landing)


def test_temporary_link_shows_it_when_the_time_to_change_is_over(client, answer, settings):
    now = timezone.now()
    Session.objects.update(finished_at=now - timedelta(days=settings.ANSWERS_SHOWN_DAYS, hours=1))
    token = tokens.temporary(answer.session.invitation_id, until=now + timedelta(hours=1))
    text = client.get(reverse("interviews:heard", args=[token])).content.decode()
    assert HEARD in text
    assert "is over" in text
    assert "<form" not in text
    assert client.post(address(answer, token=token), {"what": "flag"}).status_code == 409


def test_changes_come_no_faster_than_a_person_makes_them(client, answer, monkeypatch):
    monkeypatch.setattr(limits, "CHANGES", limits.Policy("changes-of-heard", limit=1, window_s=600))
    send(client, answer, "flag")
    response = send(client, answer, text=RIGHT)
    assert response.status_code == 429
    assert RIGHT in response.content.decode()
    assert not Correction.objects.exists()


def test_page_speaks_the_interviews_language_also_when_it_refuses(client, session, answer):
    InterviewVersion.objects.update(language="de")
    assert 'lang="de"' in page(client, session).content.decode()
    assert "Bitte schreiben Sie, was Sie gesagt haben." in send(client, answer, text=" ").content.decode()


@pytest.mark.parametrize("state", ["typed", "waiting", "silent", "no_engine", "unsaved"])
def test_answers_without_words_say_why(client, session, state):
    answer = factories.AnswerFactory(session=session, position=1, accepted=True, transcript=HEARD)
    transcript = type(answer.recording.transcript).objects
    if state == "typed":
        answer.recording.transcript.delete()
        Answer.objects.update(recording=None, typed_text="I write <b>")
    if state in ("waiting", "no_engine"):
        transcript.update(status=state, text="", segments=[])
    if state == "silent":
        transcript.update(text="", segments=[])
    if state == "unsaved":
        Recording.objects.update(status="sealed")
    said = {
        "typed": "I write &lt;b&gt;",
        "waiting": "not there yet",
        "silent": "heard no words",
        "no_engine": "no text of this recording",
        "unsaved": "is being saved",
    }
    text = page(client, session).content.decode()
    assert said[state] in text
    assert ("Correct the words" in text) == (state == "unsaved")
    assert ("This was heard wrongly" in text) == (state in ("silent", "unsaved"))


def test_number_of_queries_does_not_grow_with_the_answers(client, session, django_assert_max_num_queries):
    for position in range(1, 9):
        factories.AnswerFactory(session=session, position=position, accepted=True)
    with django_assert_max_num_queries(5):
        page(client, session)


def test_pages_lead_to_it_where_it_is_wanted(client, answer):
    room = reverse("interviews:room", args=[answer.session.invitation.token])
    landing = reverse("interviews:landing", args=[answer.session.invitation.token])
    path = reverse("interviews:heard", args=[answer.session.invitation.token])
    assert path in client.get(room).content.decode()
    assert path in client.get(landing).content.decode()
    InterviewVersion.objects.update(is_correcting_allowed=False)
    assert path not in client.get(room).content.decode()
    assert path not in client.get(landing).content.decode()
