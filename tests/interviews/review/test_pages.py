import re
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django.utils import timezone

from accounts.models import Membership
from interviews.actions import corrections
from interviews.models import Correction
from interviews.queries.moments import moment_url
from tests import factories
from voice.models import Recording, Transcript

Role = Membership.Role


def recording_url(answer):
    return reverse("admin:interviews_session_recording", args=[answer.session_id, answer.pk])


def correct_url(answer):
    return reverse("admin:interviews_session_correct", args=[answer.session_id, answer.pk])


def session_of(interview, **fields):
    return factories.SessionFactory(invitation__interview=interview, **fields)


@pytest.fixture
def session(interview):
    session = session_of(interview, finished=True)
    factories.AnswerFactory(session=session, practice=True, question_text="Just for practice")
    return session


@pytest.fixture
def answer(session):
    return factories.AnswerFactory(session=session, position=1, accepted=True)


def page_of(client, session, **headers):
    return client.get(moment_url(session.pk), headers=headers).content.decode()


def test_answer_has_player_and_words(client, member, session):
    member(Role.REVIEWER)
    answer = factories.AnswerFactory(session=session, position=1, accepted=True)
    page = page_of(client, session)
    assert f'data-src="{recording_url(answer)}"' in page
    assert 'data-start="0.400" data-end="0.760" data-first="1" data-last="1">built</span>' in page
    assert 'data-seconds="2.000"' in page
    assert answer.question_text in page
    assert "0:02 recorded" in page
    assert "faster_whisper (base)" in page
    assert "Just for practice" not in page


def test_doubtful_words_are_marked_in_more_than_colour(client, member, session):
    member(Role.REVIEWER)
    factories.AnswerFactory(session=session, position=1, accepted=True)
    page = page_of(client, session)
    marked = re.findall(r'ip-doubtful"[^>]* title="([^"]+)"', page)
    assert marked == ["Recognised with 35 % confidence"] * 2


def test_answer_that_was_asked_twice_says_so_and_tells_no_accommodation(client, member, session):
    member(Role.REVIEWER)
    asked_at = timezone.now() - timedelta(seconds=95)
    times = {"asked_at": asked_at, "asked_again_at": asked_at + timedelta(seconds=95)}
    factories.AnswerFactory(session=session, position=1, accepted=True, is_silent=True, **times)
    page = page_of(client, session)
    assert "Nothing was heard in this answer" in page
    assert "Asked twice: the first time nothing was heard" in page
    assert "Asked again: nothing was heard" in page
    assert "95" not in main_of(page)


def main_of(page):
    """What stands in the review itself; the address of a session may have any digits."""
    return re.sub(r"<[^>]+>", "", page.partition("data-review")[2])


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
    assert "data-wave" not in page
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
    assert client.get(moment_url(foreign.pk)).status_code == 302
    assert client.get(recording_url(answer)).status_code == 404
    mixed = reverse("admin:interviews_session_recording", args=[session.pk, answer.pk])
    assert client.get(mixed).status_code == 404


def test_waveform_is_of_what_was_said(client, member, session, answer):
    member(Role.REVIEWER)
    assert f'data-peaks="{"GRkZ" * 6}GRk="' in page_of(client, session), "20 tenths of a tone at 25 of 255"


def test_unreliable_transcript_says_listen(client, member, session):
    member(Role.REVIEWER)
    factories.AnswerFactory(session=session, position=1, accepted=True, transcript__confidence=0.52)
    page = page_of(client, session)
    assert "Unreliable transcript: listen." in page
    assert "52 % sure" in page


def test_reliable_transcript_says_nothing(client, member, session, answer):
    member(Role.REVIEWER)
    assert "Unreliable" not in page_of(client, session)


class TestCorrections:
    """Over HTTP; what a layer does is tested in tests/interviews/queries/test_corrections.py."""

    FIELDS = {"first_word": 7, "last_word": 7, "text": "invoices,"}

    def test_answer_comes_back_corrected_with_the_original_beside_it(self, client, member, answer):
        user = member(Role.REVIEWER)
        fragment = client.post(correct_url(answer), self.FIELDS).content.decode()
        assert 'title="Recognised: invoices">invoices,</span>' in fragment
        assert "reads invoices and checks" in fragment
        assert str(user) in fragment
        assert "<html" not in fragment

    def test_undo_is_a_further_layer(self, client, member, answer):
        member(Role.REVIEWER)
        client.post(correct_url(answer), self.FIELDS)
        restored = client.post(correct_url(answer), self.FIELDS | {"is_restored": "on"}).content.decode()
        assert 'data-first="7" data-last="7">invoices</span>' in restored
        assert "As recognised, and 2 corrections" in restored
        assert answer.corrections.count() == 2

    def test_words_of_a_correction_are_text(self, client, member, answer):
        member(Role.REVIEWER)
        fields = self.FIELDS | {"text": "<img src=x onerror=alert(1)>"}
        assert "<img" not in client.post(correct_url(answer), fields).content.decode()

    @pytest.mark.parametrize(
        ("fields", "status"),
        [
            ({"last_word": 99}, 400),
            ({"first_word": "x"}, 400),
            ({"first_word": 9}, 400),
            ({"text": "a" * 2001}, 400),
            ({"first_word": ""}, 400),
        ],
    )
    def test_wrong_words_are_refused(self, client, member, answer, fields, status):
        member(Role.REVIEWER)
        assert client.post(correct_url(answer), self.FIELDS | fields).status_code == status
        assert not Correction.objects.exists()

    def test_words_that_were_corrected_meanwhile_are_looked_at_again(self, client, member, answer):
        corrections.correct(
            answer=answer, first_word=6, last_word=8, text="x", by=member(Role.REVIEWER), now=timezone.now()
        )
        assert client.post(correct_url(answer), self.FIELDS).status_code == 409

    def test_log_says_who_and_where_but_no_word(self, client, member, answer):
        user = member(Role.REVIEWER)
        client.post(correct_url(answer), self.FIELDS)
        [entry] = LogEntry.objects.all()
        assert (entry.user, entry.object_id) == (user, str(answer.session.invitation_id))
        assert entry.change_message == "Transcript of answer 1 corrected."

    def test_answer_of_another_organisation_is_unknown(self, client, member, foreign_interview):
        member(Role.OWNER)
        foreign = factories.AnswerFactory(session=session_of(foreign_interview), position=1, accepted=True)
        assert client.post(correct_url(foreign), self.FIELDS).status_code == 404
        assert not Correction.objects.exists()

    def test_nothing_is_changed_by_looking(self, client, member, answer):
        member(Role.REVIEWER)
        assert client.get(correct_url(answer)).status_code == 405


def test_candidates_words_are_marked_and_what_was_heard_is_one_click_away(client, member, session, answer):
    member(Role.REVIEWER)
    factories.CorrectionFactory(answer=answer, first_word=3, text="<b>tiny", is_by_candidate=True)
    type(answer).objects.update(flagged_at=timezone.now())
    page = page_of(client, session)
    assert 'title="The candidate says so. Recognised: small">&lt;b&gt;tiny</span>' in page
    assert "The candidate, <time" in page
    assert "Words with a wavy line are the candidate’s" in page
    assert "The candidate says that this was heard wrongly: listen." in page
    assert "% sure of its words" not in page


class TestNeighbours:
    """Previous and next candidate, as the list has them: the newest first."""

    @pytest.fixture
    def three(self, interview):
        now = timezone.now()
        return [session_of(interview, consented_at=now - timedelta(hours=hours)) for hours in range(3)]

    def steps(self, page):
        return dict(re.findall(r'data-step="(\w+)" href="([^"]+)"', page))

    def test_candidate_in_the_middle_has_two(self, client, member, three):
        member(Role.REVIEWER)
        newest, middle, oldest = three
        wanted = {"before": moment_url(newest.pk), "after": moment_url(oldest.pk)}
        assert self.steps(page_of(client, middle)) == wanted

    def test_candidates_at_both_ends_have_one(self, client, member, three):
        member(Role.REVIEWER)
        assert self.steps(page_of(client, three[0])) == {"after": moment_url(three[1].pk)}
        assert self.steps(page_of(client, three[2])) == {"before": moment_url(three[1].pk)}

    def test_those_of_one_moment_are_all_reached(self, client, member, interview):
        member(Role.REVIEWER)
        now = timezone.now()
        rows = sorted((session_of(interview, consented_at=now) for _ in range(3)), key=lambda row: row.pk)
        assert self.steps(page_of(client, rows[0])) == {"after": moment_url(rows[1].pk)}
        assert self.steps(page_of(client, rows[1]))["after"] == moment_url(rows[2].pk)

    def test_other_interviews_and_trials_are_left_out(self, client, member, ours, session, interview):
        member(Role.REVIEWER)
        session_of(factories.InterviewFactory(organisation=ours, questions=1))
        session_of(interview, invitation__tried=interview.published)
        assert self.steps(page_of(client, session)) == {}

    def test_page_that_is_open_gets_what_is_different(self, client, member, session, answer):
        member(Role.REVIEWER)
        part = page_of(client, session, **{"X-Part": "review"})
        assert part.lstrip().startswith('<div class="ip-review"')
        assert answer.question_text in part


def test_number_of_queries_does_not_grow_with_the_answers(
    client, member, session, django_assert_max_num_queries
):
    user = member(Role.REVIEWER)
    for position in range(1, 9):
        answer = factories.AnswerFactory(session=session, position=position, accepted=True)
        corrections.correct(answer=answer, first_word=0, last_word=0, text="We", by=user, now=timezone.now())
    with django_assert_max_num_queries(22):
        client.get(moment_url(session.pk))


def test_facts_name_the_time_and_the_answer(client, member, session):
    member(Role.REVIEWER)
    factories.AnswerFactory(
        session=session, position=1, status="accepted", typed_text="Typed", completed_at=timezone.now()
    )
    page = page_of(client, session)
    assert "Typed instead of spoken." in page
    assert f'href="{moment_url(session.pk, 1)}"' in page


def test_page_that_was_left_is_told_with_its_question(client, member, session, answer):
    member(Role.REVIEWER)
    since = timezone.now()
    times = {"happened_at": since, "ended_at": since + timedelta(seconds=12)}
    factories.ObservationFactory(session=session, answer=answer, kind="left_page", **times)
    page = page_of(client, session)
    assert f'Left the page for 12 s. <a class="ip-back" href="{moment_url(session.pk, 1)}"' in page


def test_interview_without_facts_says_so(client, member, session, answer):
    member(Role.REVIEWER)
    assert "Nothing out of the ordinary." in page_of(client, session)
