import re
from datetime import timedelta
from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync
from django.urls import reverse
from django.utils import timezone

from accounts.models import Membership
from interviews.admin.review import Review
from interviews.admission import places
from interviews.admission.places import InLine
from interviews.models import Session
from tests import factories
from voice.models import Recording, Transcript

Role = Membership.Role
CHANGELIST = "admin:interviews_session_changelist"


def review_url(session):
    return reverse("admin:interviews_session_change", args=[session.pk])


def recording_url(answer):
    return reverse("admin:interviews_session_recording", args=[answer.session_id, answer.pk])


def session_of(interview, **fields):
    return factories.SessionFactory(invitation__interview=interview, **fields)


@pytest.fixture
def session(interview):
    session = session_of(interview, finished=True)
    factories.AnswerFactory(session=session, practice=True, question_text="Just for practice")
    return session


def page_of(client, session):
    return client.get(review_url(session)).content.decode()


def test_answer_has_player_and_words(client, member, session):
    member(Role.REVIEWER)
    answer = factories.AnswerFactory(session=session, position=1, accepted=True)
    page = page_of(client, session)
    assert f'src="{recording_url(answer)}"' in page
    assert 'data-start="0.400" data-end="0.760">built</span>' in page
    assert answer.question_text in page
    assert "0:02 recorded" in page
    assert "faster_whisper (base)" in page
    assert "Just for practice" not in page


def test_doubtful_words_are_marked_in_more_than_colour(client, member, session):
    member(Role.REVIEWER)
    factories.AnswerFactory(session=session, position=1, accepted=True)
    page = page_of(client, session)
    marked = re.findall(r'ip-doubtful" data-start="[\d.]+" data-end="[\d.]+" title="([^"]+)"', page)
    assert marked == ["Recognised with 35 % confidence"] * 2


def test_answer_that_was_asked_twice_says_so_and_by_how_much(client, member, session):
    member(Role.REVIEWER)
    asked_at = timezone.now() - timedelta(seconds=95)
    times = {"asked_at": asked_at, "asked_again_at": asked_at + timedelta(seconds=95)}
    factories.AnswerFactory(session=session, position=1, accepted=True, is_silent=True, **times)
    page = page_of(client, session)
    assert "Nothing was heard in this answer" in page
    assert "95 s longer to think" in page


def test_words_are_shown_as_text(client, member, session):
    member(Role.REVIEWER)
    factories.AnswerFactory(
        session=session, position=1, accepted=True, transcript="<script>alert(1)</script> hi"
    )
    page = page_of(client, session)
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


@pytest.mark.parametrize(
    ("status", "said"), [("waiting", "transcript is still waiting"), ("failed", "transcript failed")]
)
def test_missing_transcript_says_why(client, member, session, status, said):
    member(Role.REVIEWER)
    recording = factories.RecordingFactory(stored=True)
    factories.AnswerFactory(session=session, position=1, status="accepted", recording=recording)
    Transcript.objects.create(recording=recording, status=status, last_error="No engine speaks Klingon.")
    page = page_of(client, session)
    assert said in page
    assert "No engine speaks Klingon." in page


def test_language_without_an_engine_is_told(client, member, session):
    member(Role.REVIEWER)
    recording = factories.RecordingFactory(stored=True, language="de")
    factories.AnswerFactory(session=session, position=1, status="accepted", recording=recording)
    Transcript.objects.create(recording=recording, status="no_engine")
    page = page_of(client, session)
    assert "No engine for German." in page
    assert "still waiting" not in page


def test_transcript_that_was_put_off_says_so(client, member, session):
    member(Role.REVIEWER)
    recording = factories.RecordingFactory(stored=True)
    factories.AnswerFactory(session=session, position=1, status="accepted", recording=recording)
    Transcript.objects.create(recording=recording, is_deferred=True)
    assert "Its transcript was put off under load and follows." in page_of(client, session)


def test_recording_not_stored_yet_has_no_player(client, member, session):
    member(Role.REVIEWER)
    recording = factories.RecordingFactory(sealed=True)
    factories.AnswerFactory(session=session, position=1, status="accepted", recording=recording)
    page = page_of(client, session)
    assert "<audio" not in page
    assert "It can be played once it is stored." in page


def test_typed_answer_is_shown(client, member, session):
    member(Role.REVIEWER)
    factories.AnswerFactory(
        session=session, position=1, status="accepted", typed_text="I would rather write."
    )
    assert "I would rather write." in page_of(client, session)


def test_silent_and_open_answers_say_so(client, member, session):
    member(Role.REVIEWER)
    empty = factories.RecordingFactory(status=Recording.Status.DISCARDED, byte_count=0)
    factories.AnswerFactory(session=session, position=1, status="accepted", recording=empty)
    factories.AnswerFactory(session=session, position=2)
    page = page_of(client, session)
    assert "Nothing was said." in page
    assert "Not answered yet." in page


def test_japanese_words_are_not_spaced():
    transcript = Transcript(language="ja", status="done")
    assert Review(answer=None, recording=None, transcript=transcript).separator == ""


def test_player_is_led_to_a_short_lived_address(client, member, session):
    member(Role.REVIEWER)
    answer = factories.AnswerFactory(session=session, position=1, accepted=True)
    response = client.get(recording_url(answer))
    assert response.status_code == 302
    assert "/recordings/" in response.url
    assert client.get(response.url).content.startswith(b"fLaC")


def test_foreign_session_is_unknown(client, member, foreign_interview, session):
    member(Role.OWNER)
    foreign = session_of(foreign_interview)
    answer = factories.AnswerFactory(session=foreign, position=1, accepted=True)
    assert client.get(review_url(foreign)).status_code == 302
    assert client.get(recording_url(answer)).status_code == 404
    mixed = reverse("admin:interviews_session_recording", args=[session.pk, answer.pk])
    assert client.get(mixed).status_code == 404


def test_list_shows_progress_and_own_only(client, member, interview, session, foreign_interview):
    member(Role.REVIEWER)
    factories.AnswerFactory(session=session, position=1, accepted=True)
    factories.AnswerFactory(session=session, position=2)
    session_of(foreign_interview, invitation__candidate_name="Mallory")
    page = client.get(reverse(CHANGELIST)).content.decode()
    assert "1 of 2 answered" in page
    assert session.invitation.candidate_name in page
    assert "Mallory" not in page
    assert "Secret opening" not in page


@pytest.mark.parametrize("page", ["add", "delete", "history"])
def test_session_cannot_be_changed(client, session, page):
    client.force_login(factories.UserFactory(is_superuser=True))
    args = [] if page == "add" else [session.pk]
    response = client.get(reverse(f"admin:interviews_session_{page}", args=args))
    assert response.status_code == (200 if page == "history" else 403)
    assert Session.objects.filter(pk=session.pk).exists()


def test_front_page_counts_own_only(client, member, interview, foreign_interview, session):
    member(Role.REVIEWER)
    session_of(foreign_interview, invitation__candidate_name="Mallory")
    page = client.get(reverse("admin:index")).content.decode()
    assert "<strong>0</strong> being taken" in page
    assert "<strong>1</strong> finished" in page
    assert "Mallory" not in page


def test_front_page_tells_superusers_how_many_wait_to_be_let_in(client, member, clean_redis, settings):
    client.force_login(factories.UserFactory(is_superuser=True))
    assert "Candidates in line" not in client.get(reverse("admin:index")).content.decode()
    settings.CANDIDATES_AT_ONCE = 2
    newcomers = [InLine(uuid4(), 0, can_enter=True) for _ in range(5)]
    async_to_sync(places.attend)(inside=[], in_line=newcomers)

    page = client.get(reverse("admin:index")).content.decode()
    assert "waiting to be let in: 3. Candidates with a place: 2." in page
    member(Role.OWNER)
    assert "Candidates in line" not in client.get(reverse("admin:index")).content.decode()


def test_front_page_of_nobody_says_what_to_do(client, db):
    client.force_login(factories.UserFactory())
    page = client.get(reverse("admin:index")).content.decode()
    assert "Ask an owner to give you a role." in page
