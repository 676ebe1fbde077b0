"""The pages on which answers are transcribed again; what happens then: actions/test_retranscription.py."""

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django.utils import timezone

from accounts.models import Membership
from interviews.actions import retranscription
from tests import factories
from tests.interviews.actions.test_retranscription import BASE, LARGE, offer
from voice.models import TranscriptVersion

Role = Membership.Role
CHOICE = {"model": "faster_whisper:large-v3", "is_to_be_current": "on"}


@pytest.fixture(autouse=True)
def models(clean_redis):
    offer(clean_redis, BASE, LARGE)


@pytest.fixture
def session(interview):
    return factories.SessionFactory(invitation__interview=interview, finished=True)


@pytest.fixture
def answer(session):
    return factories.AnswerFactory(session=session, position=1, accepted=True, transcript="in voices, <b>yes")


def of_answer(answer, name="versions"):
    return reverse(f"admin:interviews_{name}", args=[answer.session_id, answer.pk])


def of_session(session):
    return reverse("admin:interviews_transcripts", args=[session.pk])


def finish(answer, text="invoices, <b>yes"):
    """End the version that waits with this text, and use it."""
    version = TranscriptVersion.objects.get(recording=answer.recording_id, status="waiting")
    version.status, version.text, version.engine, version.model = "done", text, *LARGE
    version.segments, version.language = factories.segments_of(text), "en"
    version.confidence, version.finished_at = 0.9, timezone.now()
    version.save()
    retranscription.version_finished(version=version)


def test_recruiter_asks_looks_and_chooses(client, member, answer):
    user = member(Role.RECRUITER)
    page = client.get(of_answer(answer)).content.decode()
    assert "faster_whisper (large-v3)" in page

    assert client.post(of_answer(answer), CHOICE).status_code == 302
    waiting = client.get(of_answer(answer), headers={"HX-Request": "true"}).content.decode()
    assert "is being transcribed" in waiting
    assert 'hx-trigger="every 3s"' in waiting
    assert "<html" not in waiting
    again = client.get(of_answer(answer) + "?seen=1", headers={"HX-Request": "true"})
    assert (again.status_code, again.content) == (204, b"")

    finish(answer)
    page = client.get(of_answer(answer)).content.decode()
    assert "every 3s" not in page
    assert f"asked for by {user}" in page
    assert "1 passage is different." in page
    assert "in voices,</del>" in page
    assert "invoices,</ins>" in page
    assert "&amp;t=0.0" in page

    client.post(of_answer(answer, "versions_use"), {"version": "1"})
    answer.recording.transcript.refresh_from_db()
    assert answer.recording.transcript.version == 1
    messages = [entry.change_message for entry in LogEntry.objects.order_by("pk")]
    assert messages == ["Answer 1 is transcribed again.", "Answer 1: version 1 of its transcript is used."]


def test_page_that_looks_again_without_news_compares_nothing(client, member, answer, monkeypatch):
    member(Role.RECRUITER)
    client.post(of_answer(answer), CHOICE)
    monkeypatch.setattr("interviews.review.transcripts.difference", lambda *_: pytest.fail("was compared"))
    response = client.get(of_answer(answer) + "?seen=1", headers={"HX-Request": "true"})
    assert response.status_code == 204


def test_words_of_both_versions_are_text(client, member, answer):
    member(Role.RECRUITER)
    client.post(of_answer(answer), CHOICE)
    finish(answer, "<script>alert(1)</script>")
    page = client.get(of_answer(answer)).content.decode()
    assert "<script>alert" not in page
    assert "&lt;b&gt;yes" in page


def test_second_click_says_that_it_is_under_way(client, member, answer):
    member(Role.RECRUITER)
    client.post(of_answer(answer), CHOICE)
    response = client.post(of_answer(answer), CHOICE)
    assert response.status_code == 422
    assert TranscriptVersion.objects.count() == 2


@pytest.mark.parametrize("model", ["", "deepgram:nova", "x", "faster_whisper:large-v3\0"])
def test_model_that_is_not_offered_is_refused(client, member, answer, model):
    member(Role.RECRUITER)
    assert client.post(of_answer(answer), CHOICE | {"model": model}).status_code == 422
    assert not TranscriptVersion.objects.exists()


def test_without_workers_the_page_says_so(client, member, answer, clean_redis):
    clean_redis.flushdb()
    member(Role.RECRUITER)
    assert "No model that knows" in client.get(of_answer(answer)).content.decode()


@pytest.mark.parametrize("version", ["2", "99999999999", "x", "²", ""])
def test_version_that_is_not_there_is_not_used(client, member, answer, version):
    member(Role.RECRUITER)
    assert client.post(of_answer(answer, "versions_use"), {"version": version}).status_code == 302
    assert client.get(of_answer(answer) + f"?before={version}&after=x").status_code == 200
    assert not LogEntry.objects.exists()


def test_whole_interview_shows_how_far_it_is(client, member, session, answer):
    member(Role.RECRUITER)
    factories.AnswerFactory(session=session, position=2, accepted=True)
    assert client.post(of_session(session), CHOICE).status_code == 302
    assert "0 of 2 answers transcribed" in client.get(of_session(session)).content.decode()
    finish(answer)
    page = client.get(of_session(session)).content.decode()
    assert "1 of 2 answers transcribed" in page
    assert '<progress class="ip-progress" max="2" value="1"' in page


def test_review_page_names_the_version_and_its_model(client, member, answer):
    member(Role.RECRUITER)
    client.post(of_answer(answer), CHOICE)
    finish(answer)
    page = client.get(reverse("admin:interviews_session_change", args=[answer.session_id])).content.decode()
    assert "faster_whisper (large-v3), version 2" in page
    assert 'data-version="2"' in page


def test_reviewer_compares_and_neither_orders_nor_chooses(client, member, answer, session):
    member(Role.RECRUITER)
    client.post(of_answer(answer), CHOICE)
    finish(answer)
    member(Role.REVIEWER)

    page = client.get(of_answer(answer)).content.decode()
    assert "1 passage is different." in page
    assert 'data-testid="use-1"' not in page
    assert 'data-testid="again"' not in page
    review = client.get(reverse("admin:interviews_session_change", args=[session.pk])).content.decode()
    assert of_answer(answer) in review
    assert of_session(session) not in review
    assert client.post(of_answer(answer), CHOICE).status_code == 403
    assert client.post(of_answer(answer, "versions_use"), {"version": "1"}).status_code == 403
    answer.recording.transcript.refresh_from_db()
    assert answer.recording.transcript.version == 2


def test_candidates_corrections_are_left_with_a_confirmation_only(client, member, answer, session):
    member(Role.RECRUITER)
    client.post(of_answer(answer), CHOICE)
    finish(answer)
    answer.recording.transcript.refresh_from_db()
    factories.CorrectionFactory(answer=answer, text="bills", version=2, is_by_candidate=True)
    factories.CorrectionFactory(answer=answer, first_word=1, version=2)
    page = client.get(of_answer(answer)).content.decode()
    assert "2 corrections belong to version 2" in page
    assert "1 is the candidate’s." in page
    assert "Leave the candidate’s corrections with version 2." in page

    refused = client.post(of_answer(answer, "versions_use"), {"version": "1"}, follow=True).content.decode()
    assert "Confirm that you leave it." in refused
    client.post(of_answer(answer, "versions_use"), {"version": "1", "is_confirmed": "on"})
    answer.recording.transcript.refresh_from_db()
    assert answer.recording.transcript.version == 1
    review = client.get(reverse("admin:interviews_session_change", args=[session.pk])).content.decode()
    assert "The candidate corrected version 2, which is not used: listen." in review


def test_recruiter_chooses_several_candidates(client, member, session, answer, interview):
    member(Role.RECRUITER)
    other = factories.SessionFactory(invitation__interview=interview, finished=True, answers=1)
    factories.AnswerFactory(session=other, position=2, accepted=True)
    chosen = [str(session.pk), str(other.pk)]
    listed = reverse("admin:interviews_session_changelist")
    page = client.post(listed, {"action": "transcribe_selected", "_selected_action": chosen})
    assert "2 candidates" in page.content.decode()
    assert client.post(reverse("admin:interviews_session_again"), CHOICE | {"session": chosen}).url == listed
    assert TranscriptVersion.objects.filter(status="waiting").count() == 2


def test_reviewer_has_no_such_action(client, member, session, answer):
    member(Role.REVIEWER)
    address = reverse("admin:interviews_session_again")
    assert client.post(address, CHOICE | {"session": [str(session.pk)]}).status_code == 403
    assert not TranscriptVersion.objects.exists()


def test_more_candidates_than_a_click_may_start_are_refused(client, member, session, monkeypatch):
    monkeypatch.setattr("interviews.review.several.MOST_AT_ONCE", 0)
    member(Role.RECRUITER)
    listed = reverse("admin:interviews_session_changelist")
    response = client.post(listed, {"action": "transcribe_selected", "_selected_action": [str(session.pk)]})
    assert response.url == listed


class TestAnotherOrganisation:
    @pytest.fixture
    def foreign(self, foreign_interview):
        session = factories.SessionFactory(invitation__interview=foreign_interview, finished=True)
        return factories.AnswerFactory(session=session, position=1, accepted=True)

    def test_its_answers_are_unknown(self, client, member, foreign, session):
        member(Role.OWNER)
        mixed = reverse("admin:interviews_versions", args=[session.pk, foreign.pk])
        addresses = [of_answer(foreign), of_session(foreign.session), mixed]
        assert [client.post(address, CHOICE).status_code for address in addresses] == [404] * 3
        assert client.post(of_answer(foreign, "versions_use"), {"version": 1}).status_code == 404
        assert not TranscriptVersion.objects.exists()

    def test_its_candidates_are_left_out(self, client, member, foreign, session, answer):
        member(Role.OWNER)
        chosen = [str(session.pk), str(foreign.session_id), "no id"]
        address = reverse("admin:interviews_session_again")
        client.post(address, CHOICE | {"session": chosen})
        client.post(address, CHOICE | {"session": chosen[:2]})
        assert set(TranscriptVersion.objects.values_list("recording__answer", flat=True)) == {answer.pk}


def test_reviewer_who_is_not_assigned_finds_nothing(client, member, ours, answer):
    ours.is_review_by_assignment = True
    ours.save()
    member(Role.REVIEWER)
    assert client.get(of_answer(answer)).status_code == 404
    assert client.post(of_session(answer.session), CHOICE).status_code == 404


def test_pages_have_the_same_number_of_queries_for_many_answers(
    client, member, session, django_assert_max_num_queries
):
    member(Role.RECRUITER)
    for position in range(1, 9):
        factories.AnswerFactory(session=session, position=position, accepted=True)
    with django_assert_max_num_queries(16):
        client.get(of_session(session))
