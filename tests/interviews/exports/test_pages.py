import csv
import io
import json
import zipfile
from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.contrib.admin.models import LogEntry
from django.core.files.storage import default_storage
from django.test import AsyncClient
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from accounts.models import Membership
from interviews.actions import erasure
from interviews.exports import pages
from interviews.exports.schema import CandidateInterview
from tests import factories
from voice.models import Transcript

Role = Membership.Role
CHANGELIST = "admin:interviews_session_changelist"


def url(session, kind: str) -> str:
    return reverse(f"admin:interviews_session_export_{kind}", args=[session.pk])


def exported(client, action: str, *sessions, **extra):
    chosen = {"action": action, "_selected_action": [str(session.pk) for session in sessions]}
    return client.post(reverse(CHANGELIST), {**chosen, **extra})


def body(response) -> bytes:
    return b"".join(response.streaming_content)


def entries() -> list[tuple[str, str, str]]:
    return list(LogEntry.objects.values_list("object_id", "object_repr", "change_message").order_by("pk"))


def test_each_kind_is_downloaded_under_the_candidates_name_and_logged(client, member, session):
    member(Role.RECRUITER)
    for kind, beginning in {"pdf": b"%PDF", "json": b"{", "vtt": b"WEBVTT", "zip": b"PK"}.items():
        response = client.get(url(session, kind))
        content = body(response) if response.streaming else response.content
        assert content.startswith(beginning)
        name = f"Zo%C3%AB%20Bront%C3%AB%20{session.pk.hex[:8]}.{kind}"
        assert response["Content-Disposition"] == f"attachment; filename*=utf-8''{name}"
        assert "no-store" in response["Cache-Control"]
    key = str(session.invitation_id)
    assert entries() == [(key, key, f"Exported as {kind}.") for kind in ("pdf", "json", "vtt", "zip")]


def test_json_keeps_the_documented_form(client, member, session):
    member(Role.OWNER)
    answer = session.answers.get(position=1)
    written = client.get(url(session, "json")).content
    found = CandidateInterview.model_validate_json(written)
    assert (found.format, found.format_version, found.time_zone) == (
        *("interview-platform/candidate-interview", 1, "UTC"),
    )
    assert found.candidate.name == "Zoë Brontë"
    assert found.consent.text == session.consent_text
    assert [each.position for each in found.answers] == [1, 2]
    assert found.answers[0].question == answer.question_text
    assert found.answers[0].recording.sha256 == answer.recording.sha256
    assert [word.word for word in found.answers[0].transcript.words if word.is_doubtful] == [
        "service",
        "checks",
    ]
    assert found.answers[1].typed_text == "I would rather write."
    assert [(fact.position, fact.kind) for fact in found.facts] == [(2, "typed")]
    assert json.loads(written)["consent"]["given_at"].endswith("Z")


def test_json_has_what_was_recognised_and_who_corrected_it(client, member, session):
    owner = member(Role.OWNER)
    answer = session.answers.get(position=1)
    factories.CorrectionFactory(answer=answer, first_word=3, text="tiny", made_by=owner)
    factories.CorrectionFactory(answer=answer, first_word=3, text="large")
    [found, _typed] = CandidateInterview.model_validate_json(client.get(url(session, "json")).content).answers
    transcript = found.transcript
    assert transcript.text.startswith("I built a small service")
    assert transcript.corrected_text.startswith("I built a large service")
    assert transcript.words[3].word == "small"
    assert transcript.is_reliable
    assert [(each.text, each.made_by, each.is_in_force) for each in transcript.corrections] == [
        *(("large", "", True), ("tiny", owner.username, False)),
    ]


def test_json_says_which_words_are_the_candidates(client, member, session):
    member(Role.OWNER)
    answer = session.answers.get(position=1)
    type(answer).objects.filter(pk=answer.pk).update(flagged_at=timezone.now())
    factories.CorrectionFactory(answer=answer, first_word=3, text="tiny", is_by_candidate=True)
    [found, _typed] = CandidateInterview.model_validate_json(client.get(url(session, "json")).content).answers
    assert found.flagged_at
    assert not found.transcript.is_reliable
    assert found.transcript.corrected_text.startswith("I built a tiny service")
    [layer] = found.transcript.corrections
    assert (layer.is_by_candidate, layer.made_by) == (True, "")


def test_json_tells_what_the_page_noticed(client, member, session):
    member(Role.OWNER)
    answer = session.answers.get(position=2)
    since = timezone.now()
    times = {"happened_at": since, "ended_at": since + timedelta(seconds=12)}
    factories.ObservationFactory(session=session, answer=answer, kind="left_page", **times)
    factories.ObservationFactory(session=session, answer=answer, kind="pasted", characters=7)
    facts = CandidateInterview.model_validate_json(client.get(url(session, "json")).content).facts
    told = {fact.kind: (fact.position, fact.seconds, fact.characters) for fact in facts}
    assert (told["left_page"], told["pasted"]) == ((2, 12, None), (2, None, 7))


def test_json_tells_which_version_of_the_transcript_is_used(client, member, session):
    member(Role.OWNER)
    answer = session.answers.get(position=1)
    factories.CorrectionFactory(answer=answer, first_word=3, text="tiny")
    Transcript.objects.filter(recording=answer.recording).update(version=2)
    [found, _typed] = CandidateInterview.model_validate_json(client.get(url(session, "json")).content).answers
    assert found.transcript.version == 2
    assert found.transcript.corrected_text == found.transcript.text
    assert [(each.version, each.is_in_force) for each in found.transcript.corrections] == [(1, False)]


def test_json_tells_that_the_candidate_corrected_another_version(client, member, session):
    member(Role.OWNER)
    answer = session.answers.get(position=1)
    factories.CorrectionFactory(answer=answer, first_word=3, text="tiny", is_by_candidate=True)
    Transcript.objects.filter(recording=answer.recording).update(version=2)
    [found, _typed] = CandidateInterview.model_validate_json(client.get(url(session, "json")).content).answers
    assert found.transcript.corrected_elsewhere == 1
    assert not found.transcript.is_reliable


def test_json_tells_no_limits_and_facts_about_the_whole_interview(client, member, session):
    member(Role.OWNER)
    factories.ObservationFactory(session=session, kind="opened_again")
    document = json.loads(client.get(url(session, "json")).content)
    assert {(fact["position"], fact["kind"]) for fact in document["facts"]} == {
        *((2, "typed"), (None, "opened_again")),
    }
    assert not [key for key in document["answers"][0] if "limit" in key or "think" in key]


@pytest.mark.parametrize("kind", ["pdf", "json"])
def test_number_of_queries_does_not_grow_with_answers_and_corrections(
    client, member, session, kind, django_assert_max_num_queries
):
    member(Role.OWNER)
    for position in range(3, 9):
        answer = factories.AnswerFactory(session=session, position=position, accepted=True)
        factories.CorrectionFactory.create_batch(3, answer=answer, made_by=factories.UserFactory())
    with django_assert_max_num_queries(20):
        client.get(url(session, kind))


def test_subtitles_have_the_corrected_words_at_their_times(client, member, session):
    member(Role.OWNER)
    answer = factories.AnswerFactory(session=session, position=3, accepted=True, transcript="in voices again")
    factories.CorrectionFactory(answer=answer, first_word=0, last_word=1, text="invoices")
    text = client.get(url(session, "vtt")).content.decode()
    assert "00:00:02.000 --> 00:00:03.160\ninvoices again" in text


def test_subtitles_follow_each_other(client, member, session):
    member(Role.OWNER)
    factories.AnswerFactory(session=session, position=3, accepted=True, transcript="second answer")
    text = client.get(url(session, "vtt")).content.decode()
    assert "00:00:00.000 -->" in text
    assert "00:00:02.000 --> 00:00:02.760\nsecond answer" in text


def test_words_are_no_markup_of_subtitles(client, member, session):
    member(Role.OWNER)
    factories.AnswerFactory(session=session, position=3, accepted=True, transcript="<b>hi</b> --> x")
    assert "&lt;b&gt;hi&lt;/b&gt; --&gt; x" in client.get(url(session, "vtt")).content.decode()


@pytest.mark.parametrize("kind", pages.KINDS)
def test_reviewers_strangers_and_trials_get_nothing(client, member, session, kind):
    member(Role.REVIEWER)
    assert client.get(url(session, kind)).status_code == 404
    assert (
        "ip-exports"
        not in client.get(reverse("admin:interviews_session_change", args=[session.pk])).content.decode()
    )
    foreign = factories.SessionFactory(finished=True)
    member(Role.OWNER)
    assert client.get(url(foreign, kind)).status_code == 404
    session.invitation.tried = session.definition
    session.invitation.save()
    assert client.get(url(session, kind)).status_code == 404
    assert entries() == []


def test_page_offers_the_downloads(client, member, session):
    member(Role.RECRUITER)
    page = client.get(reverse("admin:interviews_session_change", args=[session.pk])).content.decode()
    assert all(f'href="{url(session, kind)}"' in page for kind in pages.KINDS)


def test_list_is_exported_as_both_tables(client, member, interview, session):
    member(Role.RECRUITER)
    hostile = factories.SessionFactory(
        invitation__interview=interview, invitation__candidate_name='=HYPERLINK("http://evil.example")'
    )
    response = exported(client, "export_csv", session, hostile)
    table = list(csv.DictReader(io.StringIO(body(response).decode("utf-8-sig"), newline="")))
    found = {row["candidate"]: row for row in table}
    assert found["Zoë Brontë"]["e-mail"] == "zoe@example.com"
    assert (found["Zoë Brontë"]["questions"], found["Zoë Brontë"]["answered"]) == ("2", "2")
    assert found["Zoë Brontë"]["seconds recorded"] == "2.0"
    assert found["Zoë Brontë"]["finished (UTC)"]
    assert '\'=HYPERLINK("http://evil.example")' in found

    xlsx = load_workbook(io.BytesIO(body(exported(client, "export_xlsx", session, hostile)))).active
    rows = [[cell.value for cell in row] for row in xlsx.iter_rows()]
    assert rows[0] == list(table[0])
    assert [row[-1] for row in rows[1:]] == [row["id"] for row in table]
    assert hostile.invitation.candidate_name in [row[0] for row in rows]
    assert {entry[2] for entry in entries()} == {"Exported in a list as csv.", "Exported in a list as xlsx."}
    assert len(entries()) == 4


def test_list_takes_the_same_number_of_queries_for_any_number_of_rows(
    client, member, interview, session, django_assert_max_num_queries
):
    member(Role.RECRUITER)
    more = [factories.SessionFactory(invitation__interview=interview, answers=2) for _ in range(30)]
    with django_assert_max_num_queries(20):
        assert len(body(exported(client, "export_csv", session, *more)).splitlines()) == 32


def test_chosen_rows_of_others_and_trials_are_left_out(client, member, interview, session):
    member(Role.RECRUITER)
    trial = factories.SessionFactory(invitation__interview=interview, invitation__tried=interview.published)
    foreign = factories.SessionFactory(invitation__candidate_name="Mallory")
    everything = exported(client, "export_csv", session, trial, foreign, select_across="1")
    assert len(body(everything).splitlines()) == 2


def test_who_only_reads_in_an_organisation_takes_nothing_of_it(client, member, session):
    user = member(Role.REVIEWER)
    elsewhere = factories.MembershipFactory(user=user, role=Role.OWNER).organisation
    own = factories.SessionFactory(invitation__interview__organisation=elsewhere)
    table = body(exported(client, "export_csv", session, own)).decode()
    assert own.invitation.candidate_name in table
    assert "Zoë" not in table


def test_recordings_of_several_are_one_archive(client, member, interview, session):
    member(Role.RECRUITER)
    other = factories.SessionFactory(invitation__interview=interview)
    factories.AnswerFactory(session=other, position=1, accepted=True)
    response = exported(client, "export_recordings", session, other)
    names = zipfile.ZipFile(io.BytesIO(body(response))).namelist()
    assert [name.split("/")[-1] for name in names] == ["01.flac", "01.flac", "contents.csv"]
    assert [entry[2] for entry in entries()] == ["Recordings exported."] * 2


def test_too_many_recordings_are_refused(client, member, session, monkeypatch):
    member(Role.RECRUITER)
    monkeypatch.setattr("interviews.exports.archive.MAX_RECORDINGS", 1)
    page = client.post(
        reverse(CHANGELIST),
        {"action": "export_recordings", "_selected_action": [str(session.pk)]},
        follow=True,
    )
    assert "More than 1 recordings" in page.content.decode()
    assert entries() == []


def test_erasure_takes_the_candidate_out_of_the_log(client, member, session):
    user = member(Role.OWNER)
    client.get(url(session, "json"))
    from django.utils import timezone

    row = erasure.erase_candidate(invitation=session.invitation, by=user, now=timezone.now())
    assert [entry[0] for entry in entries()] == [str(row.pk)]


@pytest.mark.django_db(transaction=True)
def test_archive_is_sent_while_it_is_made(session, ours, monkeypatch):
    user = factories.MembershipFactory(organisation=ours, role=Role.OWNER).user
    client = AsyncClient()

    async def download() -> list[bytes]:
        await client.aforce_login(user)
        response = await client.get(url(session, "zip"))
        assert response.is_async
        return [piece async for piece in response.streaming_content]

    pieces = async_to_sync(download)()

    assert len(pieces) > 3
    recording = session.answers.get(position=1).recording
    with default_storage.open(recording.storage_name) as stored:
        found = zipfile.ZipFile(io.BytesIO(b"".join(pieces)))
        assert found.read(found.namelist()[0]) == stored.read()
