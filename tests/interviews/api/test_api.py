"""The REST API as another system uses it. A key of one organisation finds no rows of another."""

from datetime import timedelta
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.conf import settings
from django.core import signing
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from accounts.models import ApiKey
from interviews.models import Interview, Invitation, Session
from tests import factories
from voice.capacity import rate_limits
from voice.capacity.allowances import Policy
from voice.capacity.rate_limits import count_request_in_thread
from voice.models import Transcript

V1 = "/api/v1"


@pytest.fixture
def key(interview):
    return factories.ApiKeyFactory(organisation=interview.organisation)


@pytest.fixture
def api(client, key):
    """A function that calls the API with the key and returns (status, body)."""

    def call(method, path, body=None, **params):
        headers = {"Authorization": f"Bearer {key.plain}"}
        options = {"data": body, "content_type": "application/json"} if method == "post" else {"data": params}
        response = getattr(client, method)(f"{V1}{path}", headers=headers, **options)
        return response.status_code, response.json()

    return call


@pytest.fixture
def foreign(db):
    return factories.InterviewFactory(questions=1, title="Secret opening")


@pytest.fixture
def taken(interview):
    """A session with one finished answer and one pending."""
    invitation = factories.InvitationFactory(interview=interview, status=Invitation.Status.STARTED)
    session = factories.SessionFactory(invitation=invitation, status=Session.Status.UNDER_WAY)
    factories.AnswerFactory(session=session, practice=True)
    factories.AnswerFactory(session=session, position=1, accepted=True)
    factories.AnswerFactory(session=session, position=2)
    return session


def first_answer(session):
    return session.answers.get(position=1)


def test_interviews_of_the_organisation_are_listed(api, interview, foreign):
    status, body = api("get", "/interviews")
    assert (status, body["next"]) == (200, None)
    assert [each["id"] for each in body["items"]] == [str(interview.id)]
    assert body["items"][0]["question_count"] == 3


def test_interview_comes_with_its_questions_in_order(api, interview):
    status, body = api("get", f"/interviews/{interview.id}")
    assert status == 200
    assert [q["text"] for q in body["questions"]] == list(interview.questions.values_list("text", flat=True))
    assert {"think_seconds", "answer_limit_seconds", "retakes"} <= body["questions"][0].keys()
    assert (body["patience"], body["is_barge_in_allowed"]) == ("normal", True)


def test_inviting_gives_a_link(api, interview):
    status, body = api("post", f"/interviews/{interview.id}/invitations", {"candidate_name": " Ada "})
    invitation = Invitation.objects.get()
    assert status == 201
    assert body["url"] == invitation.url
    assert (body["status"], body["candidate_name"]) == ("pending", "Ada")
    days = parse_datetime(body["expires_at"]) - timezone.now()
    assert timedelta(days=13, hours=23) < days <= timedelta(days=14)


def test_inviting_takes_an_expiry(api, interview):
    expires_at = (timezone.now() + timedelta(days=2)).replace(microsecond=0)
    body = {
        "candidate_name": "Ada",
        "candidate_email": "ada@example.com",
        "expires_at": expires_at.isoformat(),
    }
    status, answer = api("post", f"/interviews/{interview.id}/invitations", body)
    assert status == 201
    assert parse_datetime(answer["expires_at"]) == Invitation.objects.get().expires_at == expires_at


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "candidate_name"),
        ({"candidate_name": "  "}, "candidate_name"),
        ({"candidate_name": "A" * 201}, "candidate_name"),
        ({"candidate_name": "A\x00da"}, "candidate_name"),
        ({"candidate_name": 7}, "candidate_name"),
        ({"candidate_name": "Ada", "candidate_email": "ada"}, "candidate_email"),
        ({"candidate_name": "Ada", "expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"candidate_name": "Ada", "expires_at": "2999-01-01T00:00:00Z"}, "expires_at"),
        ({"candidate_name": "Ada", "expires_at": "9999-12-31T23:59:59-12:00"}, "expires_at"),
        ({"candidate_name": "Ada", "expires_at": "2030-01-01T00:00:00"}, "expires_at"),
        ([], "payload"),
    ],
)
def test_bad_invitation_names_the_field(api, interview, body, field):
    status, answer = api("post", f"/interviews/{interview.id}/invitations", body)
    assert (status, answer["code"]) == (422, "bad_value")
    assert field in answer["detail"] or field == "payload"
    assert field == answer["field"] == answer["errors"][0]["field"] or field == "payload"
    assert not Invitation.objects.exists()


def test_draft_cannot_be_invited_to(api, interview):
    Interview.objects.update(status="draft")
    status, body = api("post", f"/interviews/{interview.id}/invitations", {"candidate_name": "Ada"})
    assert (status, body["code"]) == (422, "bad_value")


def test_body_that_is_no_json_is_a_bad_request(client, key, interview):
    headers = {"X-API-Key": key.plain}
    address = f"{V1}/interviews/{interview.id}/invitations"
    response = client.post(address, data="{", content_type="application/json", headers=headers)
    assert (response.status_code, response.json()["code"]) == (400, "bad_request")


def test_invitations_can_be_filtered(api, interview, taken):
    factories.InvitationFactory(interview=interview)
    _status, every = api("get", "/invitations")
    _status, started = api("get", "/invitations", status="started")
    _status, other = api("get", "/invitations", interview_id=str(uuid4()))
    assert [len(each["items"]) for each in (every, started, other)] == [2, 1, 0]
    assert started["items"][0]["session_id"] == str(taken.id)


def test_invitation_says_its_progress(api, taken):
    status, body = api("get", f"/invitations/{taken.invitation_id}")
    assert status == 200
    assert (body["status"], body["session_status"]) == ("started", "under_way")
    assert (body["answered"], body["total"]) == (1, 2)


def test_invitation_not_started_has_no_session(api, interview):
    invitation = factories.InvitationFactory(interview=interview)
    _status, body = api("get", f"/invitations/{invitation.id}")
    assert (body["session_id"], body["answered"], body["total"]) == (None, 0, 3)


def test_revoking_ends_the_link_once(api, interview):
    invitation = factories.InvitationFactory(interview=interview)
    status, body = api("post", f"/invitations/{invitation.id}/revoke")
    assert (status, body["status"]) == (200, "revoked")
    status, body = api("post", f"/invitations/{invitation.id}/revoke")
    assert (status, body["code"]) == (409, "wrong_state")


def test_session_says_its_progress(api, taken):
    status, body = api("get", f"/sessions/{taken.id}")
    assert status == 200
    assert (body["status"], body["answered"], body["total"]) == ("under_way", 1, 2)
    assert body["interview_id"] == str(taken.interview.id)


def test_answers_leave_practice_out(api, taken):
    status, body = api("get", f"/sessions/{taken.id}/answers")
    assert status == 200
    given, to_come = body["items"]
    assert (given["position"], given["duration_s"], given["is_stored"]) == (1, 2.0, True)
    assert (given["extra_seconds"], given["is_silent"]) == (0, False)
    assert given["transcript"] == {
        "status": "done",
        "is_deferred": False,
        "text": " ".join(factories.WORDS),
    }
    assert (to_come["status"], to_come["transcript"], to_come["typed_text"]) == ("pending", None, None)


def test_transcript_has_words_with_times(api, taken):
    status, body = api("get", f"/answers/{first_answer(taken).id}/transcript")
    assert status == 200
    assert (body["language"], body["engine"], body["status"]) == ("en", "faster_whisper", "done")
    heard = {"word": "I", "start": 0.0, "end": 0.36, "confidence": 0.94, "is_doubtful": False}
    assert body["words"][0] == heard


def test_transcript_still_waiting_says_so(api, taken):
    recording = factories.RecordingFactory(sealed=True)
    answer = factories.AnswerFactory(session=taken, position=3, status="accepted", recording=recording)
    Transcript.objects.create(recording=recording)
    status, body = api("get", f"/answers/{answer.id}/transcript")
    assert (status, body["status"], body["words"]) == (200, "waiting", [])


def test_recording_can_be_fetched_without_a_key_or_session(api, client, taken):
    status, body = api("get", f"/answers/{first_answer(taken).id}/recording")
    assert (status, body["duration_s"]) == (200, 2.0)
    assert body["sha256"] == first_answer(taken).recording.sha256
    response = client.get(urlsplit(body["url"]).path)
    assert (response.status_code, response["Content-Type"]) == (200, "audio/flac")
    assert response.content.startswith(b"fLaC")
    life = parse_datetime(body["expires_at"]) - timezone.now()
    assert timedelta(0) < life <= timedelta(seconds=settings.RECORDING_URL_SECONDS)


def test_recording_address_ends(client, taken, monkeypatch):
    recording = first_answer(taken).recording
    signer = signing.TimestampSigner(salt="voice.recording-url")
    an_instant_late = signing.b62_encode(int(timezone.now().timestamp()) - settings.RECORDING_URL_SECONDS - 1)
    monkeypatch.setattr(signer, "timestamp", lambda: an_instant_late)
    assert client.get(f"/recordings/{signer.sign(str(recording.id))}").status_code == 404


def test_recording_address_cannot_be_forged(client, taken):
    recording = first_answer(taken).recording
    forged = signing.TimestampSigner(salt="something else").sign(str(recording.id))
    assert client.get(f"/recordings/{forged}").status_code == 404


@pytest.mark.parametrize("fields", [{}, {"sealed": True}])
def test_recording_not_stored_yet_is_a_conflict(api, taken, fields):
    recording = factories.RecordingFactory(**fields)
    answer = factories.AnswerFactory(session=taken, position=3, status="recording", recording=recording)
    status, body = api("get", f"/answers/{answer.id}/recording")
    assert (status, body["code"]) == (409, "wrong_state")


def test_answer_without_recording_is_not_found(api, taken):
    answer = taken.answers.get(position=2)
    for part in ("recording", "transcript"):
        status, body = api("get", f"/answers/{answer.id}/{part}")
        assert (status, body["code"]) == (404, "not_found")


def addresses(interview, session):
    answer = session.answers.get(position=1)
    return [
        ("get", f"/interviews/{interview.id}"),
        ("post", f"/interviews/{interview.id}/invitations"),
        ("get", f"/invitations/{session.invitation_id}"),
        ("post", f"/invitations/{session.invitation_id}/revoke"),
        ("delete", f"/invitations/{session.invitation_id}/candidate"),
        ("get", f"/sessions/{session.id}"),
        ("get", f"/sessions/{session.id}/answers"),
        ("get", f"/answers/{answer.id}/transcript"),
        ("get", f"/answers/{answer.id}/recording"),
    ]


def test_nothing_of_another_organisation_is_found(api, foreign):
    session = factories.SessionFactory(invitation__interview=foreign)
    factories.AnswerFactory(session=session, position=1, accepted=True)
    for method, path in addresses(foreign, session):
        status, body = api(method, path, {"candidate_name": "Ada"} if method == "post" else None)
        assert (path, status, body["code"]) == (path, 404, "not_found")
    assert Invitation.objects.count() == 1
    assert api("get", "/invitations")[1]["items"] == []
    assert api("get", "/invitations", interview_id=str(foreign.id))[1]["items"] == []


@pytest.mark.parametrize(
    "path",
    [
        "/interviews/nothing",
        "/interviews/36b97233-df45-4cec-b61c-47f788138d3d",
        "/nowhere",
        "/answers/1/recording",
    ],
)
def test_unknown_address_is_a_clear_404(api, path):
    status, body = api("get", path)
    assert (status, body["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer ipk_nonsense"},
        {"Authorization": "Basic x"},
        {"X-API-Key": ""},
        {"X-API-Key": "x"},
    ],
)
def test_no_valid_key_is_unauthenticated(client, interview, headers):
    response = client.get(f"{V1}/interviews", headers=headers)
    assert (response.status_code, response.json()["code"]) == (401, "unauthenticated")
    assert response["WWW-Authenticate"] == "Bearer"


def test_revoked_key_is_unauthenticated(client, interview):
    key = factories.ApiKeyFactory(organisation=interview.organisation, revoked_at=timezone.now())
    response = client.get(f"{V1}/interviews", headers={"X-API-Key": key.plain})
    assert response.status_code == 401


def test_key_of_another_scope_is_forbidden(client, interview):
    key = factories.ApiKeyFactory(organisation=interview.organisation, scopes=[ApiKey.Scope.RESULTS_READ])
    response = client.get(f"{V1}/interviews", headers={"Authorization": f"Bearer {key.plain}"})
    told = response.json()
    assert (response.status_code, told["code"], told["scope"]) == (403, "forbidden", "interviews:read")
    assert "interviews:read" in told["detail"]


def test_signed_in_staff_need_a_key_too(client, interview):
    client.force_login(factories.UserFactory(is_superuser=True))
    assert client.get(f"{V1}/interviews").status_code == 401


def test_description_is_complete_and_loads_nothing_from_elsewhere(client, db):
    described = client.get("/api/openapi.json").json()
    assert {"BearerKey", "HeaderKey"} <= described["components"]["securitySchemes"].keys()
    page = client.get("/api/docs").content.decode()
    assert "//cdn" not in page
    assert "<script>" not in page


def test_requests_of_a_key_are_limited_whatever_they_are_for(client, key, clean_redis, settings):
    settings.VOICE = settings.VOICE | {"REQUESTS_PER_MINUTE": 2}
    headers = {"Authorization": f"Bearer {key.plain}"}
    count_request_in_thread(f"key:{key.pk}")  # for speech
    let_in = client.get(f"{V1}/interviews", headers=headers)
    refused = client.get(f"{V1}/interviews", headers=headers)

    assert (let_in.status_code, refused.status_code) == (200, 429)
    assert let_in["RateLimit-Policy"] == refused["RateLimit-Policy"] == '"requests";q=2;w=60'
    assert (let_in["RateLimit"][:14], refused["RateLimit"][:14]) == ('"requests";r=0', '"requests";r=0')
    assert refused.json()["code"] == "rate_limited"
    assert 0 < int(refused["Retry-After"]) <= 60


@pytest.mark.parametrize("path", [f"{V1}/interviews", "/api/v1/voice/voices", "/v1/models"])
@pytest.mark.parametrize("name", ["Authorization", "X-API-Key"])
def test_wrong_keys_of_a_network_are_limited_and_logged(
    client, key, clean_redis, monkeypatch, caplog, path, name
):
    monkeypatch.setattr(rate_limits, "WRONG_KEYS", Policy("wrong-keys", limit=2, window_s=60))
    wrong = {name: "Bearer ipk_guessed" if name == "Authorization" else "ipk_guessed"}
    responses = [client.get(path, headers=wrong) for _ in range(4)]

    assert [response.status_code for response in responses] == [401, 401, 429, 429]
    assert 0 < int(responses[-1]["Retry-After"]) <= 60
    assert responses[-1]["RateLimit-Policy"] == '"wrong-keys";q=2;w=60'
    assert caplog.text.count("wrong API key from 127.0.0.0/24") == 3  # the first that is refused, too
    assert "guessed" not in caplog.text
    right = {"Authorization": f"Bearer {key.plain}"}
    assert client.get(f"{V1}/interviews", headers=right).status_code == 200
