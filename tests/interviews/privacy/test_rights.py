"""What candidates may do with their link: take everything along, and withdraw the consent in the middle."""

import io
import json
import zipfile

import pytest
from django.urls import reverse
from django.utils import timezone

from interviews.actions import answers, erasure, holds, withdrawal
from interviews.actions.errors import ActionRefused
from interviews.events import publishing
from interviews.models import Answer, Invitation, Session
from interviews.queries import retention
from tests import factories
from tests.interviews import journey
from tests.interviews.privacy.conftest import EMAIL, NAME
from voice.models import Recording, Transcript
from voice.workers import transcription

YES = {"confirmed": "yes"}
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]


@pytest.fixture
def token(candidate) -> str:
    return candidate.session.invitation.token


def at(name: str, token: str) -> str:
    return reverse(f"interviews:{name}", args=[token])


def unpacked(response) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content)))


def test_download_has_everything_that_the_candidate_gave_and_no_judgement(client, candidate, token):
    first = candidate.session.answers.get(position=1)
    for by_candidate, text in ((True, "own words"), (False, "of a reviewer")):
        factories.CorrectionFactory(answer=first, text=text, is_by_candidate=by_candidate)

    archive = unpacked(client.post(at("download", token)))

    assert archive.testzip() is None
    assert sorted(archive.namelist()) == ["answers.html", "data.json", "recordings/01.flac"]
    page, data = archive.read("answers.html").decode(), json.loads(archive.read("data.json"))
    assert data["candidate"] == {"name": NAME, "email": EMAIL}
    interview = data["interviews"][0]
    answered = next(each for each in interview["answers"] if each["position"] == 1)
    assert interview["evaluation"] is None
    assert answered["transcript"]["text"] == first.recording.transcript.text
    assert [each["text"] for each in answered["transcript"]["corrections"]] == ["own words"]
    for word in (NAME, "own words", 'href="recordings/01.flac"', candidate.session.consent_text[:20]):
        assert word in page
    assert "of a reviewer" not in page + archive.read("data.json").decode()
    assert archive.read("recordings/01.flac")[:4] == b"fLaC"


def test_download_before_the_start_has_what_is_known(client, make_invitation):
    archive = unpacked(client.post(at("download", make_invitation(candidate_name=NAME).token)))
    assert sorted(archive.namelist()) == ["answers.html", "data.json"]
    assert json.loads(archive.read("data.json"))["candidate"]["name"] == NAME


def test_candidate_sees_and_takes_along_what_another_system_keeps(client, make_invitation):
    token = make_invitation(external_id="ats-7", metadata={"stage": "phone <screen>"}).token

    archive = unpacked(client.post(at("download", token)))
    data = json.loads(archive.read("data.json"))

    assert (data["external_id"], data["metadata"]) == ("ats-7", {"stage": "phone <screen>"})
    for page in (client.get(at("data", token)).content, archive.read("answers.html")):
        assert "ats-7; stage: phone &lt;screen&gt;" in page.decode()


def test_downloads_are_few_an_hour(client, make_invitation):
    token = make_invitation().token
    assert [client.post(at("download", token)).status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = client.post(at("download", token))
    assert "Retry-After" in refused.headers
    assert "several times" in refused.content.decode()
    assert client.get(at("download", token)).status_code == 405


def test_consent_withdrawn_in_the_middle_stops_everything(client, candidate, token, monkeypatch):
    closed = []
    monkeypatch.setattr(publishing, "close_connections", closed.append)
    spoken = candidate.session.answers.get(status=Answer.Status.RECORDING)
    waiting = factories.TranscriptFactory()
    Answer.objects.filter(session=candidate.session, position=3).update(recording=waiting.recording)
    asked = client.get(at("withdraw", token)).content.decode()
    assert "stops at once" in asked
    assert Session.objects.get().withdrawn_at is None

    told = client.post(at("withdraw", token), YES, follow=True).content.decode()

    session = Session.objects.get()
    assert (session.status, session.invitation.status) == ("abandoned", "expired")
    assert session.withdrawn_at is not None
    assert session.pk in closed
    assert "The interview has ended" in told
    assert 'data-testid="erase-now"' in told
    assert Recording.objects.get(pk=spoken.recording_id).status == Recording.Status.DISCARDED
    assert not Transcript.objects.filter(pk=waiting.pk).exists()
    transcription.transcribe(str(waiting.recording_id))  # a job that comes late
    assert not Transcript.objects.filter(recording=waiting.recording).exists()
    for name in ("room", "landing"):
        page = client.get(at(name, token))
        assert page.status_code == 410
        assert "Your consent is withdrawn" in page.content.decode()
    with pytest.raises(ActionRefused):
        answers.begin(answer=journey.questions(session)[2], by="test", now=timezone.now())


def test_withdrawal_leads_to_erasure_at_once_or_a_week_later(client, candidate, token):
    now = timezone.now()
    withdrawal.withdraw(invitation=candidate.session.invitation, now=now)
    withdrawal.withdraw(invitation=candidate.session.invitation, now=now + retention.WITHDRAWN_KEPT)

    assert erasure.erase_overdue(now=now + retention.WITHDRAWN_KEPT * 0.9) == 0
    assert erasure.erase_overdue(now=now + retention.WITHDRAWN_KEPT) == 1
    assert not Invitation.objects.exists()


def test_one_further_button_erases(client, candidate, token):
    client.post(at("withdraw", token), YES)
    client.post(at("data", token), YES)
    assert not Invitation.objects.exists()


def test_withdrawal_during_a_hold_keeps_what_was_said(client, candidate, token):
    invitation = candidate.session.invitation
    holds.place(interview=invitation.interview, reason="file", by=factories.UserFactory(), now=timezone.now())
    told = client.post(at("withdraw", token), YES, follow=True).content.decode()
    assert "because of a legal dispute" in told
    assert not Recording.objects.filter(status=Recording.Status.DISCARDED).exists()
    assert erasure.erase_overdue(now=timezone.now() + 2 * retention.WITHDRAWN_KEPT) == 0


def test_without_consent_there_is_nothing_to_withdraw(client, make_invitation):
    token = make_invitation().token
    assert client.post(at("withdraw", token), YES)["Location"] == at("data", token)
    assert "not agreed to anything" in client.get(at("withdraw", token)).content.decode()


def test_finished_interview_can_be_withdrawn_too(client, interview):
    invitation = factories.SessionFactory(finished=True, invitation__interview=interview).invitation
    client.post(at("withdraw", invitation.token), YES)
    assert Session.objects.get().withdrawn_at is not None
    assert Invitation.objects.get().status == "finished"


@pytest.mark.parametrize("name", ["download", "withdraw"])
def test_revoked_link_gives_nothing(client, candidate, token, name):
    Invitation.objects.update(status="revoked")
    response = client.post(at(name, token), YES)
    assert response.status_code == 410
    assert NAME not in response.content.decode()
    assert Session.objects.get().withdrawn_at is None
