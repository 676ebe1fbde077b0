"""Publishing: candidates get frozen versions, and nothing that is half done."""

from datetime import timedelta

import pytest
from django.utils import timezone

from interviews.actions import answers, erasure, invitations, sessions, versions
from interviews.actions.errors import BadValue, WrongState
from interviews.models import Answer, Erasure, Interview, InterviewVersion, Invitation, Session
from interviews.queries import progress
from interviews.queries.versions import Piece, differences
from tests import factories
from tests.interviews import journey

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]


def publish(interview):
    return versions.publish(interview=interview, by="test", now=timezone.now())


@pytest.fixture
def draft():
    return factories.InterviewFactory(questions=2, published=False)


def test_new_interview_is_a_draft(draft):
    assert (draft.status, draft.published) == (Interview.Status.DRAFT, None)
    assert not InterviewVersion.objects.exists()


def test_publishing_freezes_what_is_written(draft):
    first = publish(draft)
    question = draft.questions.first()
    question.text = "Something else?"
    question.save()
    draft.title = "Another title"
    draft.save()

    first.refresh_from_db()
    assert first.number == 1
    assert first.title != "Another title"
    assert "Something else?" not in [asked.text for asked in first.asked]
    assert versions.has_changes(Interview.objects.get())

    second = publish(draft)
    assert (second.number, second.title, second.asked[0].text) == (2, "Another title", "Something else?")
    assert not versions.has_changes(Interview.objects.get())


def test_line_ends_of_browsers_are_no_change(draft):
    draft.consent_text = "One.\n\nTwo."
    draft.save()
    publish(draft)
    draft.consent_text = "One.\r\n\r\nTwo."
    assert not versions.has_changes(draft)


def test_publishing_without_a_change_makes_no_version(draft):
    assert publish(draft) == publish(draft)
    assert InterviewVersion.objects.count() == 1


def test_candidate_keeps_the_version_that_was_agreed_to(interview, invitation):
    session = sessions.start(invitation=invitation, now=timezone.now())
    factories.change(interview, consent_text="We keep it for ever.", retention_days=5, language="de")

    session = Session.objects.get()
    assert session.definition.number == interview.published.number - 1
    assert session.definition.language == "en"
    assert session.consent_text != "We keep it for ever."
    journey.get_under_way(session)
    answer = journey.questions(session)[0]
    answers.begin(answer=answer, by="test", now=timezone.now())
    answer.refresh_from_db()
    assert answer.recording.language == "en"


def test_next_candidate_gets_the_newest_version(interview, make_invitation):
    invitation = make_invitation()
    factories.change(interview, title="Newest")
    session = sessions.start(invitation=Invitation.objects.get(pk=invitation.pk), now=timezone.now())
    assert session.definition.title == "Newest"


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (lambda interview: interview.questions.all().delete(), "no questions"),
        (lambda interview: interview.questions.update(text=" "), "no text"),
        (lambda interview: Interview.objects.update(consent_text=""), "consent"),
        (lambda interview: Interview.objects.update(voice="espeak:de"), "does not speak"),
    ],
    ids=["no questions", "question without text", "no consent", "voice of another language"],
)
def test_what_no_candidate_could_finish_is_not_published(draft, fault, reason):
    fault(draft)
    with pytest.raises(BadValue, match=reason):
        publish(draft)
    assert Interview.objects.get().status == Interview.Status.DRAFT


def test_archived_interview_takes_nobody_more_but_lets_others_go_on(interview, invitation):
    versions.archive(interview=interview, by="test", now=timezone.now())

    assert sessions.start(invitation=invitation, now=timezone.now()).pk
    with pytest.raises(BadValue, match="archived"):
        invitations.invite(
            interview=interview,
            candidate_name="Ada",
            expires_at=timezone.now() + timedelta(days=1),
            by="test",
            now=timezone.now(),
        )
    with pytest.raises(WrongState):
        publish(interview)


def test_restored_interview_is_a_draft(interview):
    versions.archive(interview=interview, by="test", now=timezone.now())
    versions.restore(interview=interview, by="test", now=timezone.now())
    assert interview.status == Interview.Status.DRAFT
    assert publish(interview).number == interview.versions.count()


def test_copy_is_a_draft_of_its_own(interview):
    copy = versions.duplicate(interview=interview, by="test", now=timezone.now())

    copy = Interview.objects.get(pk=copy.pk)
    assert (copy.status, copy.published, copy.organisation) == ("draft", None, interview.organisation)
    texts = [list(each.questions.values_list("text", flat=True)) for each in (interview, copy)]
    assert texts[0] == texts[1]
    copy.questions.all().delete()
    assert interview.questions.count() == 3


def test_interview_of_the_release_before_is_published_soon(draft):
    Interview.objects.update(status="published")

    assert versions.publish_missing(now=timezone.now()) == 1
    assert versions.publish_missing(now=timezone.now()) == 0

    draft.refresh_from_db()
    assert draft.published.number == 1


@pytest.fixture
def trial(draft):
    by, now = factories.UserFactory(), timezone.now()
    return invitations.try_out(interview=draft, by=by, expires_at=now + timedelta(hours=1), now=now)


def test_trial_takes_the_draft_as_it_was(draft, trial):
    factories.change(draft, title="Later")
    session = sessions.start(invitation=Invitation.objects.get(), now=timezone.now())
    assert session.definition.number is None
    assert session.definition.title != "Later"


def test_trial_is_counted_nowhere(draft, trial):
    sessions.start(invitation=trial, now=timezone.now())
    assert not Invitation.objects.counted().exists()
    assert not Session.objects.counted().exists()
    assert sum(progress.count_sessions(draft.owner).values()) == 0


def test_trial_is_erased_after_a_day(draft, trial):
    now = timezone.now()
    sessions.start(invitation=trial, now=now)

    assert erasure.erase_overdue(now=now + timedelta(hours=23)) == 0
    assert erasure.erase_overdue(now=now + timedelta(hours=25)) == 1

    assert not Answer.objects.exists()
    assert not InterviewVersion.objects.exists()
    assert Erasure.objects.get().is_trial
    assert (
        progress.of_interviews(Interview.objects.all(), factories.UserFactory(is_superuser=True))
        .get()
        .invited_n
        == 0
    )


def test_differences_name_what_changed(draft):
    before = versions.written(publish(draft))
    first, second = draft.questions.all()
    first.position, first.retakes = second.position + 1, 2
    first.save()
    second.text = second.text.replace("learn", "unlearn")
    second.save()
    factories.QuestionFactory(interview=draft, position=second.position + 2, text="And then?")
    draft.retention_days = 30
    after = versions.written(draft)

    found = {each.label: (each.before, each.after) for each in differences(before, after)}

    assert found["Kept for (days)"] == ("", "30")
    assert found["Question 3"] == ("", "And then?")
    assert found["Question 2: retakes"] == ("0", "2")
    assert found["Order of the questions"] == ("1, 2", "2, 1")
    [text] = [each for each in differences(before, after) if each.label == "Question 1"]
    assert Piece("gone", "learn") in text.pieces
    assert Piece("new", "unlearn") in text.pieces
    assert "".join(piece.text for piece in text.pieces if piece.kind != "new").replace(" ", "") == (
        text.before.replace(" ", "")
    )
