"""An interview drafted from a job description: asked for, sent once, and made a draft that a person edits."""

from datetime import timedelta

import pytest
from django.utils import timezone

from interviews import jobs
from interviews.actions import interview_drafts, versions
from interviews.actions.errors import BadValue, WrongState
from interviews.brain import language_model as client
from interviews.models import Interview, JobDescription
from tests import factories
from tests.interviews.brain.test_interview_draft import DESCRIPTIONS
from voice.models import Speech

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]

TEXT = DESCRIPTIONS["en"]


@pytest.fixture
def recruiter(language_model):
    organisation = factories.OrganisationFactory(is_language_model_used=True)
    return factories.MembershipFactory(organisation=organisation, role="recruiter").user


@pytest.fixture
def request_draft(recruiter):
    def make(**changed) -> JobDescription:
        values = {
            "organisation": recruiter.memberships.get().organisation,
            "text": TEXT,
            "language": "en",
            "question_count": 4,
            "by": recruiter,
            "now": timezone.now(),
        }
        return interview_drafts.request(**values | changed)

    return make


def draft(row) -> JobDescription:
    jobs.draft_interview(str(row.pk))
    row.refresh_from_db()
    return row


# --- A draft ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", DESCRIPTIONS)
def test_draft_has_questions_and_a_rubric_and_is_not_published(request_draft, recruiter, language):
    row = draft(request_draft(language=language, text=DESCRIPTIONS[language]))

    interview = row.interview
    assert (row.status, row.reason) == ("drafted", "")
    assert (interview.status, interview.published) == (Interview.Status.DRAFT, None)
    assert (interview.language, interview.created_by) == (language, recruiter)
    assert interview.organisation == row.organisation
    assert [each.position for each in interview.questions.all()] == [1, 2, 3, 4]
    first = interview.criteria.first()
    assert len(first.levels) == 4
    assert [question.position for question in first.questions.all()] == [1, 2]
    assert versions.problems(interview) == []  # a person may publish it as it is
    assert set(Speech.objects.values_list("text", flat=True)) >= {
        question.text for question in interview.questions.all()
    }


def test_everything_sent_and_received_is_kept(request_draft, language_model):
    row = draft(request_draft())

    assert [row.sent] == language_model.sent
    assert TEXT in row.sent["messages"][1]["content"]
    assert row.interview.questions.first().text in row.received
    assert (row.model, row.prompt_version) == ("small-and-quick", "interview_draft/1")
    assert row.output_tokens == 30
    assert row.took_ms is not None


def test_part_that_must_not_be_asked_is_left_out_and_told(request_draft, language_model):
    language_model.temper = "prying"
    row = draft(request_draft())

    texts = [question.text for question in row.interview.questions.all()]
    assert len(texts) == 3
    assert not any("children" in text for text in texts)
    assert [reason for _text, reason in row.left_out_in_words] == ["touches on age", "touches on age"]


def test_characters_that_no_database_takes_are_kept_out(request_draft, language_model):
    language_model.temper = "broken"
    row = draft(request_draft())

    assert row.status == "drafted"
    assert row.left_out_in_words == [("What is  and ? to you?", "too long, or not plain text")]


def test_job_that_runs_twice_sends_once(request_draft, language_model):
    row = draft(request_draft())
    draft(row)

    assert len(language_model.sent) == 1
    assert Interview.objects.count() == 1


# --- No draft ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("temper", "reason"),
    [
        ("inventing", "too_little"),
        ("silent", "too_little"),
        ("malformed", "malformed"),
        ("talkative", "malformed"),
        ("cut_off", "cut_off"),
        ("refusing", "refusal"),
    ],
)
def test_model_that_is_wrong_makes_no_draft_and_the_reason_is_told(
    request_draft, language_model, temper, reason
):
    language_model.temper = temper
    row = draft(request_draft())

    assert (row.status, row.reason) == ("refused", reason)
    assert row.reason_in_words
    assert not Interview.objects.exists()


@pytest.mark.parametrize("mood", [500, 404, 400, "break", "nonsense", "hang"])
def test_model_that_cannot_be_reached_is_told(request_draft, language_model, settings, mood):
    settings.LLM_DRAFT_TIMEOUT_S = 0.3 if mood == "hang" else 30
    language_model.mood = mood
    row = draft(request_draft())

    assert (row.status, row.reason_in_words) == ("failed", "The model could not be reached.")
    assert not Interview.objects.exists()


def test_try_that_failed_is_tried_again_and_kept(request_draft, recruiter, language_model):
    language_model.temper = "refusing"
    failed = draft(request_draft())
    language_model.temper = "helpful"

    second = draft(interview_drafts.again(description=failed, by=recruiter, now=timezone.now()))

    assert second.status == "drafted"
    assert (second.text, second.question_count) == (failed.text, 4)
    failed.refresh_from_db()
    assert failed.received == "I cannot help with that."


def test_what_was_drafted_is_not_drafted_again(request_draft, recruiter):
    row = draft(request_draft())
    with pytest.raises(WrongState):
        interview_drafts.again(description=row, by=recruiter, now=timezone.now())


def test_cancelled_one_is_not_sent(request_draft, recruiter, language_model):
    row = request_draft()
    interview_drafts.cancel(description=row, by=recruiter, now=timezone.now())
    draft(row)

    assert row.status == "cancelled"
    assert not language_model.sent
    with pytest.raises(WrongState):
        interview_drafts.cancel(description=row, by=recruiter, now=timezone.now())


@pytest.mark.parametrize("end", ["give_up", "delete"])
def test_answer_that_is_not_waited_for_any_more_makes_no_draft(request_draft, monkeypatch, end):
    row = request_draft()
    complete = client.complete

    def slow(*args, **kwargs):
        with pytest.raises(WrongState):
            interview_drafts.cancel(description=row, by="test", now=timezone.now())
        if end == "give_up":
            interview_drafts.sweep(now=timezone.now() + interview_drafts.LOST_AFTER)
        else:
            JobDescription.objects.filter(pk=row.pk).delete()
        return complete(*args, **kwargs)

    monkeypatch.setattr(client, "complete", slow)
    jobs.draft_interview(str(row.pk))

    assert not Interview.objects.exists()
    assert list(JobDescription.objects.values_list("status", flat=True)) == ["failed"] * (end == "give_up")


# --- Limits -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"text": "Too short."}, "text"),
        ({"text": "x" * 20_001}, "text"),
        ({"question_count": 2}, "question_count"),
        ({"question_count": 13}, "question_count"),
        ({"language": "it"}, "language"),
        ({"language": "xx"}, "language"),
    ],
)
def test_value_out_of_bounds_is_refused(request_draft, change, name):
    with pytest.raises(BadValue, match=f"^{name}: "):
        request_draft(**change)
    assert not JobDescription.objects.exists()


def test_organisation_has_one_at_a_time(request_draft):
    request_draft()
    with pytest.raises(WrongState):
        request_draft()


def test_nothing_is_sent_for_an_organisation_that_does_not_use_the_model(request_draft, language_model):
    row = request_draft()
    factories.Organisation.objects.update(is_language_model_used=False)
    draft(row)

    assert (row.status, row.reason) == ("failed", "turned_off")
    assert not language_model.sent
    with pytest.raises(BadValue):
        request_draft()


def other_organisation(**fields):
    return factories.OrganisationFactory(is_language_model_used=True, **fields)


@pytest.mark.django_db(transaction=True)
def test_one_job_description_is_at_the_model_at_a_time(request_draft, language_model, queued):
    first, second = request_draft(), request_draft(organisation=other_organisation())
    JobDescription.objects.filter(pk=first.pk).update(status="sent", sent_at=timezone.now())
    draft(second)
    assert second.status == "waiting"
    assert not language_model.sent

    interview_drafts.sweep(now=timezone.now() + interview_drafts.LOST_AFTER)
    assert f"interview-draft-{second.pk}" in queued("brain-later")
    assert draft(second).status == "drafted"


# --- What the clock does ----------------------------------------------------------------------------


def test_one_that_a_dead_worker_left_is_ended(request_draft, recruiter):
    row, now = request_draft(), timezone.now()
    JobDescription.objects.update(status="sent", sent_at=now)
    interview_drafts.sweep(now=now)
    row.refresh_from_db()
    assert row.status == "sent"

    interview_drafts.sweep(now=now + timedelta(minutes=6))
    row.refresh_from_db()
    assert (row.status, row.reason) == ("failed", "lost")


def test_one_that_came_to_nothing_is_forgotten_after_a_month(request_draft, language_model):
    kept = draft(request_draft())
    language_model.temper = "refusing"
    draft(request_draft())
    interview_drafts.sweep(now=timezone.now() + timedelta(days=31))

    assert [row.pk for row in JobDescription.objects.all()] == [kept.pk]


def test_it_goes_with_its_draft(request_draft):
    draft(request_draft()).interview.delete()

    assert not JobDescription.objects.exists()


def test_neither_the_text_nor_the_answer_is_logged(request_draft, language_model, caplog):
    caplog.set_level("DEBUG")
    draft(request_draft())
    language_model.mood = 500
    draft(request_draft())

    assert "invoices" not in caplog.text
    assert "Tell us" not in caplog.text
