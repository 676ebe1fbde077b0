import pytest
from django.urls import reverse

from accounts.models import Membership
from interviews.models import Interview, Question
from tests import factories
from voice.inference import reports
from voice.inference.reports import EngineReport
from voice.models import Speech

Role = Membership.Role
CHANGELIST = "admin:interviews_interview_changelist"
SPEECH = "admin:interviews_interview_speech"
ADD = "admin:interviews_interview_add"


def change_url(interview):
    return reverse("admin:interviews_interview_change", args=[interview.pk])


def form(*texts, **fields):
    """A browser's form data for an interview with new questions of these texts."""
    posted = {
        "title": "Nurse, first interview",
        "language": "en",
        "voice": "",
        "patience": "normal",
        "is_barge_in_allowed": "on",
        "consent_text": "Fine.",
        "questions-TOTAL_FORMS": str(len(texts)),
        "criteria-TOTAL_FORMS": "0",
        "criteria-INITIAL_FORMS": "0",
        "questions-INITIAL_FORMS": "0",
    }
    for n, text in enumerate(texts):
        posted |= question(n, text=text)
    return posted | fields


def question(n, *, text, position="", think_seconds=10, answer_limit_seconds=90, retakes=0, **more):
    fields = {
        "text": text,
        "position": position,
        "think_seconds": think_seconds,
        "answer_limit_seconds": answer_limit_seconds,
        "retakes": retakes,
        **more,
    }
    return {f"questions-{n}-{name}": value for name, value in fields.items()}


def saved(interview, order):
    """A browser's form data for a saved interview with its questions in this order of ids."""
    posted = form(**{"questions-INITIAL_FORMS": str(len(order)), "questions-TOTAL_FORMS": str(len(order))})
    for n, row in enumerate(interview.questions.all()):
        posted |= question(n, text=row.text, position=order.index(row.pk), id=row.pk, interview=interview.pk)
    return posted


def test_interview_is_saved_for_the_only_organisation(client, member, ours, queued):
    recruiter = member(Role.RECRUITER)
    response = client.post(reverse(ADD), form("Why here?", "And then?"))
    assert response.status_code == 302, response.context["errors"]
    interview = Interview.objects.get()
    assert (interview.organisation, interview.created_by) == (ours, recruiter)
    assert [(q.position, q.text) for q in interview.questions.all()] == [(1, "Why here?"), (2, "And then?")]


@pytest.mark.parametrize(("heard", "is_warned"), [(["en"], True), (["en", "de"], False), (None, False)])
def test_language_without_an_engine_is_told_at_saving(client, member, queued, clean_redis, heard, is_warned):
    member(Role.RECRUITER)
    if heard:
        report = EngineReport("recognition", "some", "m", "cpu", "ready", languages=heard)
        reports.publish([report], clean_redis)
    page = client.post(reverse(ADD), form("Warum?", language="de"), follow=True).content.decode()
    assert ("No engine for German" in page) is is_warned


def test_how_turns_are_taken_is_saved(client, member, queued):
    member(Role.RECRUITER)
    client.post(reverse(ADD), form("Why here?", patience="patient", is_barge_in_allowed=""))
    interview = Interview.objects.get()
    assert (interview.patience, interview.is_barge_in_allowed) == ("patient", False)


def test_saving_requests_speech_of_every_question(client, member, queued, django_capture_on_commit_callbacks):
    member(Role.RECRUITER)
    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse(ADD), form("Why here?", practice_question="Say hello."))
    assert set(Speech.objects.values_list("text", flat=True)) == {"Why here?", "Say hello."}
    assert len(queued("tts")) == 2


def test_saving_again_retries_what_failed(client, member, interview, queued):
    member(Role.RECRUITER)
    text = interview.questions.first().text
    failed = factories.SpeechFactory(interview=interview, text=text, failed=True)
    order = list(interview.questions.values_list("pk", flat=True))
    client.post(change_url(interview), saved(interview, order))
    failed.refresh_from_db()
    assert (failed.status, failed.attempts) == (Speech.Status.WAITING, 0)


def test_words_that_may_be_misheard_are_told_beside_the_question(client, member, interview, queued):
    member(Role.RECRUITER)
    text = interview.questions.first().text
    row = factories.SpeechFactory(interview=interview, text=text, ready=True, misheard="<Kbrnts> nginx")
    for address in (change_url(interview), reverse(SPEECH, args=[interview.pk, row.key])):
        page = client.get(address).content.decode()
        assert "check the spelling of <strong>&lt;Kbrnts&gt;, nginx</strong>" in page


@pytest.mark.parametrize(("misheard", "is_asked_for"), [(None, True), ("", False)])
def test_a_check_that_may_come_is_asked_for_and_no_warning_stands_meanwhile(
    client, member, interview, queued, misheard, is_asked_for
):
    member(Role.RECRUITER)
    text = interview.questions.first().text
    row = factories.SpeechFactory(interview=interview, text=text, ready=True, misheard=misheard)
    page = client.get(reverse(SPEECH, args=[interview.pk, row.key])).content.decode()
    assert ("hx-select" in page) is is_asked_for
    assert "spelling" not in page


def test_saving_again_has_what_is_unchecked_listened_to(
    client, member, interview, queued, django_capture_on_commit_callbacks
):
    member(Role.RECRUITER)
    first, second = interview.questions.all()
    row = factories.SpeechFactory(interview=interview, text=first.text, ready=True)
    factories.SpeechFactory(interview=interview, text=second.text, ready=True, misheard="")
    with django_capture_on_commit_callbacks(execute=True):
        client.post(change_url(interview), saved(interview, [first.pk, second.pk]))
    assert queued("stt-batch") == [f"listen-{row.key}"]


def test_questions_are_kept_in_the_order_given(client, member, interview, queued):
    member(Role.RECRUITER)
    first, second = interview.questions.values_list("pk", flat=True)
    assert client.post(change_url(interview), saved(interview, [second, first])).status_code == 302
    assert list(interview.questions.values_list("pk", "position")) == [(second, 1), (first, 2)]


def test_new_question_comes_last(client, member, interview, queued):
    member(Role.RECRUITER)
    order = list(interview.questions.values_list("pk", flat=True))
    posted = saved(interview, order) | {"questions-TOTAL_FORMS": "3"} | question(2, text="One more?")
    client.post(change_url(interview), posted)
    assert interview.questions.last().text == "One more?"
    assert list(interview.questions.values_list("position", flat=True)) == [1, 2, 3]


def test_question_of_another_interview_cannot_be_taken_over(
    client, member, interview, foreign_interview, queued
):
    member(Role.RECRUITER)
    victim = foreign_interview.questions.first()
    posted = form(**{"questions-INITIAL_FORMS": "1", "questions-TOTAL_FORMS": "1"})
    posted |= question(0, text="Mine now", id=victim.pk, interview=interview.pk)
    client.post(change_url(interview), posted)
    assert Question.objects.get(pk=victim.pk).text != "Mine now"
    assert Question.objects.get(pk=victim.pk).interview == foreign_interview


def test_consent_text_is_prefilled(client, member):
    member(Role.RECRUITER)
    assert "answer questions by speaking" in client.get(reverse(ADD)).content.decode()


def test_voice_of_another_language_is_refused(client, member, queued):
    member(Role.RECRUITER)
    response = client.post(reverse(ADD), form("Why?", voice="espeak:de"))
    assert "does not speak" in response.content.decode()
    assert not Interview.objects.exists()


def test_voice_of_the_language_is_accepted(client, member, queued):
    member(Role.RECRUITER)
    response = client.post(reverse(ADD), form("Warum?", voice="espeak:de", language="de"))
    assert response.status_code == 302, response.context["errors"]
    assert Interview.objects.get().voice == "espeak:de"


def test_voice_that_is_gone_stays_chosen(client, member, interview, queued):
    member(Role.RECRUITER)
    Interview.objects.update(voice="piper:en_US-gone-medium")
    interview.refresh_from_db()
    assert (
        "piper:en_US-gone-medium · not installed here" in client.get(change_url(interview)).content.decode()
    )
    order = list(interview.questions.values_list("pk", flat=True))
    posted = saved(interview, order) | {"voice": "piper:en_US-gone-medium"}
    assert client.post(change_url(interview), posted).status_code == 302


def page_of(client, interview):
    return client.get(change_url(interview)).content.decode()


def test_ready_question_has_a_play_button(client, member, interview):
    member(Role.RECRUITER)
    row = factories.SpeechFactory(interview=interview, text=interview.questions.first().text, ready=True)
    page = page_of(client, interview)
    assert f'data-listen="/speech/{row.key}.flac"' in page
    assert "last-resort voice</span>" not in "".join(page.split())


def test_last_resort_voice_is_labelled(client, member, interview):
    member(Role.RECRUITER)
    factories.SpeechFactory(
        interview=interview, text=interview.questions.first().text, ready=True, is_last_resort=True
    )
    assert "No better voice was available" in page_of(client, interview)


def test_waiting_question_looks_again(client, member, interview):
    member(Role.RECRUITER)
    row = factories.SpeechFactory(interview=interview, text=interview.questions.first().text)
    page = page_of(client, interview)
    assert "being prepared" in page
    assert f"/speech/{row.key}/?looks=1" in page


def test_failed_question_says_why(client, member, interview):
    member(Role.RECRUITER)
    factories.SpeechFactory(interview=interview, text=interview.questions.first().text, failed=True)
    page = page_of(client, interview)
    assert "failed:" in page
    assert "No voice speaks this language" in page


def speech_state_url(interview, key):
    return reverse("admin:interviews_interview_speech", args=[interview.pk, key])


def test_state_of_speech_replaces_itself(client, member, interview):
    member(Role.RECRUITER)
    row = factories.SpeechFactory(interview=interview, text=interview.questions.first().text)
    response = client.get(speech_state_url(interview, row.key), {"looks": "3"})
    assert "load delay:16s" in response.content.decode()
    Speech.objects.update(status=Speech.Status.READY, storage_name="speech/x.flac")
    assert "data-listen" in client.get(speech_state_url(interview, row.key)).content.decode()


def test_looking_ends_after_a_while(client, member, interview):
    member(Role.RECRUITER)
    row = factories.SpeechFactory(interview=interview, text=interview.questions.first().text)
    page = client.get(speech_state_url(interview, row.key), {"looks": "12"}).content.decode()
    assert "hx-get" not in page
    assert "unusually long" in page


def test_state_of_foreign_speech_is_unknown(client, member, interview, foreign_interview):
    member(Role.RECRUITER)
    row = factories.SpeechFactory(interview=foreign_interview, text=foreign_interview.questions.first().text)
    assert client.get(speech_state_url(foreign_interview, row.key)).status_code == 404
    assert client.get(speech_state_url(interview, row.key)).status_code == 404


def test_list_shows_own_interviews_only(client, member, interview, foreign_interview):
    member(Role.RECRUITER)
    page = client.get(reverse(CHANGELIST)).content.decode()
    assert interview.title in page
    assert "Secret opening" not in page
    assert "Theirs" not in page, "a filter would name the other organisation"


def test_search_finds_nothing_foreign(client, member, foreign_interview):
    member(Role.RECRUITER)
    assert "Secret opening" not in client.get(reverse(CHANGELIST), {"q": "Secret"}).content.decode()


@pytest.mark.parametrize("page", ["change", "delete", "history"])
def test_foreign_interview_is_unknown(client, member, foreign_interview, page):
    member(Role.OWNER)
    address = reverse(f"admin:interviews_interview_{page}", args=[foreign_interview.pk])
    response = client.get(address)
    assert response.status_code in (302, 404)
    client.post(address, {"post": "yes"})
    assert Interview.objects.filter(pk=foreign_interview.pk).exists()


def test_foreign_interview_is_not_deleted_by_a_list_action(client, member, foreign_interview):
    member(Role.OWNER)
    posted = {"action": "delete_selected", "_selected_action": [foreign_interview.pk], "post": "yes"}
    client.post(reverse(CHANGELIST), posted)
    assert Interview.objects.filter(pk=foreign_interview.pk).exists()


def test_form_offers_writable_organisations_only(client, member, theirs):
    recruiter = member(Role.RECRUITER)
    another = factories.MembershipFactory(user=recruiter, role=Role.OWNER).organisation
    factories.MembershipFactory(user=recruiter, organisation=theirs, role=Role.REVIEWER)
    page = client.get(reverse(ADD)).content.decode()
    assert another.name in page
    assert "Theirs" not in page


def test_interview_for_a_foreign_organisation_is_refused(client, member, theirs, queued):
    recruiter = member(Role.RECRUITER)
    factories.MembershipFactory(user=recruiter, role=Role.OWNER)
    client.post(reverse(ADD), form("Why?", organisation=theirs.pk))
    assert not Interview.objects.exists()


def test_reviewer_reads_and_changes_nothing(client, member, interview):
    member(Role.REVIEWER)
    title = interview.title
    page = client.get(change_url(interview))
    assert page.status_code == 200
    assert 'name="_save"' not in page.content.decode()
    assert client.post(change_url(interview), form("New?")).status_code == 403
    assert client.get(reverse(ADD)).status_code == 403
    interview.refresh_from_db()
    assert interview.title == title


def test_superuser_sees_all(client, interview, foreign_interview):
    client.force_login(factories.UserFactory(is_superuser=True))
    page = client.get(reverse(CHANGELIST)).content.decode()
    assert interview.title in page
    assert "Secret opening" in page


def test_member_who_is_no_staff_stays_outside(client, ours):
    client.force_login(factories.MembershipFactory(organisation=ours, user__is_staff=False).user)
    assert client.get(reverse(CHANGELIST)).status_code == 302


def test_pages_have_no_inline_scripts_of_ours(client, member, interview):
    member(Role.RECRUITER)
    page = page_of(client, interview)
    assert "onclick=" not in page
    assert 'type="module"' in page


# --- Scripted follow-ups ---------------------------------------------------------------------------


def with_script(text):
    return form("Why here?", **{"questions-0-scripted_follow_ups": text})


def test_scripted_follow_ups_are_written_one_a_line(client, member, queued):
    member(Role.RECRUITER)
    client.post(reverse(ADD), with_script(" What then? \r\n\r\nAnd  why?\r\n"))
    interview = Interview.objects.get()

    assert interview.questions.get().scripted_follow_ups == ["What then?", "And why?"]
    page = client.get(change_url(interview)).content.decode()
    assert "What then?\nAnd why?</textarea>" in page
    assert "Follow-up 2" in page
    assert {"What then?", "And why?"} <= set(Speech.objects.values_list("text", flat=True))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a?\nb?\nc?\nd?", "At most 3 follow-up questions."),
        ("x" * 2001, "A follow-up question has at most 2000 characters."),
        ("What \0then?", "Null characters are not allowed."),
    ],
)
def test_scripted_follow_ups_have_the_limits_of_questions(client, member, queued, text, told):
    member(Role.RECRUITER)
    page = client.post(reverse(ADD), with_script(text)).content.decode()

    assert told in page
    assert not Interview.objects.exists()


def test_saving_without_a_change_of_the_script_changes_nothing(client, member, interview, queued):
    member(Role.RECRUITER)
    interview.questions.update(scripted_follow_ups=["What then?", "And why?"])
    order = list(interview.questions.values_list("pk", flat=True))
    posted = saved(interview, order)
    for n in range(len(order)):
        posted[f"questions-{n}-scripted_follow_ups"] = "What then?\r\nAnd why?"
    client.post(change_url(interview), posted)

    assert {tuple(each.scripted_follow_ups) for each in interview.questions.all()} == {
        ("What then?", "And why?")
    }


def test_reviewer_reads_the_script(client, member, interview):
    interview.questions.update(scripted_follow_ups=["What then?"])
    member(Role.REVIEWER)

    assert "What then?" in client.get(change_url(interview)).content.decode()
