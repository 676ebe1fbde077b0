"""The Python client against answers as the platform gives them; tests/flows has the real platform."""

import asyncio
import json
from datetime import UTC, datetime

import httpx
import pytest
from standardwebhooks import Webhook

from interview_client import AsyncClient, Client, api, errors, retries
from interview_client.calls import Call
from interview_client.webhooks import NotGenuine, verify

ADDRESS, KEY = "https://interviews.example", "ipk_1"
INVITE = api.invite("i1", candidate_name="Ada")


def problem(status, code, **extra):
    document = {"type": f"/api/problems/{code}", "status": status, "code": code, "detail": "No.", **extra}
    return httpx.Response(status, json=document)


class Platform(httpx.MockTransport):
    """Gives these answers one after the other; an exception is raised. received: the requests."""

    def __init__(self, *answers):
        self._answers = iter(answers)
        self.received: list[httpx.Request] = []
        super().__init__(self._answer)

    def _answer(self, request):
        self.received.append(request)
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return answer


def client_of(*answers, **options):
    """A client, its platform, and the pauses that it made."""
    platform, pauses = Platform(*answers), []
    client = Client(ADDRESS, KEY, transport=platform, **options)
    client._sleep = pauses.append
    return client, platform, pauses


def test_call_is_sent_with_the_key_and_its_answer_returned():
    client, platform, _ = client_of(httpx.Response(201, json={"id": "1"}))
    assert client.send(INVITE) == {"id": "1"}
    [request] = platform.received
    assert str(request.url) == f"{ADDRESS}/api/v1/interviews/i1/invitations"
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    assert json.loads(request.content) == {"candidate_name": "Ada", "candidate_email": ""}


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.ReadTimeout("slow"),
        httpx.ConnectError("down"),
        httpx.Response(502),
        httpx.Response(503, headers={"Retry-After": "7"}),
        httpx.Response(429, headers={"Retry-After": "7"}),
        httpx.Response(409, headers={"Retry-After": "7"}, json={"code": "under_way"}),
    ],
)
def test_post_is_sent_again_with_the_same_idempotency_key(trouble):
    client, platform, pauses = client_of(trouble, httpx.Response(201, json={"id": "1"}))

    assert client.send(INVITE)["id"] == "1"

    assert len({request.headers["Idempotency-Key"] for request in platform.received}) == 1
    assert len(platform.received) == 2
    if isinstance(trouble, httpx.Response) and "Retry-After" in trouble.headers:
        assert pauses == [7.0]
    else:
        assert 0 < pauses[0] <= retries.FIRST_S


def test_two_calls_have_two_idempotency_keys_unless_the_caller_names_one():
    created = [httpx.Response(201, json={}) for _ in range(3)]
    client, platform, _ = client_of(*created)
    client.send(INVITE)
    client.send(INVITE)
    client.send(INVITE, idempotency_key="row 17")
    first, second, third = (request.headers["Idempotency-Key"] for request in platform.received)
    assert first != second
    assert third == "row 17"


@pytest.mark.parametrize(
    ("trouble", "is_again"),
    [
        (httpx.ReadTimeout("slow"), False),
        (httpx.Response(502), False),
        (httpx.ConnectError("down"), True),
        (httpx.Response(503), True),
    ],
)
def test_change_that_may_have_arrived_is_not_sent_again(trouble, is_again):
    assert retries.is_worth_it(Call("PATCH", "/organisation"), trouble) is is_again


@pytest.mark.parametrize("trouble", [httpx.ReadTimeout("slow"), httpx.Response(502)])
def test_deletion_whose_answer_was_lost_has_succeeded(trouble):
    client, platform, _ = client_of(trouble, problem(404, "not_found"))
    assert client.send(Call("DELETE", "/exports/e1")) is None
    assert len(platform.received) == 2


@pytest.mark.parametrize("trouble", [httpx.ConnectError("down"), httpx.Response(503)])
def test_deletion_that_did_not_arrive_before_is_told_what_is_not_there(trouble):
    client, _, _ = client_of(trouble, problem(404, "not_found"))
    with pytest.raises(errors.NotFound):
        client.send(Call("DELETE", "/exports/e1"))


def test_pauses_grow_and_end():
    client, platform, pauses = client_of(*[httpx.Response(503)] * 3, tries=3)
    with pytest.raises(errors.Unavailable):
        client.send(INVITE)
    assert len(platform.received) == 3
    assert 0.25 <= pauses[0] <= 0.5 <= pauses[1] <= 1.0


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [("120", 120.0), ("9999999", 300.0), ("Fri, 31 Dec 1999 23:59:59 GMT", 0.0), ("x", None)],
)
def test_pause_that_is_asked_for_is_made_within_reason(asked, seconds):
    assert retries.asked_pause_s(httpx.Response(429, headers={"Retry-After": asked})) == seconds


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *(
            (401, errors.Unauthenticated),
            (403, errors.Forbidden),
            (404, errors.NotFound),
            (409, errors.Conflict),
        ),
        *((412, errors.ChangedMeanwhile), (422, errors.BadValue), (418, errors.Problem)),
    ],
)
def test_refusal_is_raised_as_what_it_is(status, kind):
    client, _, pauses = client_of(
        problem(status, "bad_value", field="candidate_name", scope="x", request_id="r1")
    )
    with pytest.raises(kind) as caught:
        client.send(INVITE)
    assert type(caught.value) is kind
    told = caught.value
    assert (told.status, told.code, told.field, told.scope) == (status, "bad_value", "candidate_name", "x")
    assert (told.request_id, told.errors, pauses) == ("r1", [], [])


def test_refusal_without_a_document_is_one_too():
    client, _, _ = client_of(httpx.Response(413, text="<html>"))
    with pytest.raises(errors.Problem, match="413"):
        client.send(INVITE)


def test_nobody_answers():
    client, _, _ = client_of(*[httpx.ConnectError("down")] * 5)
    with pytest.raises(errors.Unreachable, match=r"interviews\.example"):
        client.send(INVITE)


def test_change_is_made_to_what_was_read():
    read = httpx.Response(200, json={"name": "Ours"}, headers={"ETag": '"1"'})
    client, platform, _ = client_of(read, httpx.Response(200, json={}))
    told, tag = client.read(api.organisation())
    client.send(api.change_organisation({"contact_name": "Ada"}, if_match=tag))
    assert told == {"name": "Ours"}
    assert platform.received[1].headers["If-Match"] == tag


def test_list_is_read_page_by_page():
    pages = [{"items": [1, 2], "next": "c2"}, {"items": [3], "next": None}]
    client, platform, _ = client_of(*(httpx.Response(200, json=page) for page in pages))
    assert list(client.all(api.sessions(status="finished"))) == [1, 2, 3]
    first, second = (dict(request.url.params) for request in platform.received)
    assert first == {"limit": "100", "status": "finished"}
    assert second == first | {"cursor": "c2"}


def test_events_are_followed_from_a_place():
    pages = [
        {"items": ["a"], "next": "1", "has_more": True},
        {"items": ["b"], "next": "2", "has_more": False},
        {"items": ["c"], "next": "3", "has_more": False},
    ]
    client, platform, pauses = client_of(*(httpx.Response(200, json=page) for page in pages))
    events = client.events(after="0", pause_s=9)
    assert [next(events) for _ in range(3)] == ["a", "b", "c"]
    assert [request.url.params["after"] for request in platform.received] == ["0", "1", "2"]
    assert pauses == [9]


def broken(*pieces):
    yield from pieces
    raise httpx.ReadError("cut")


def test_download_goes_on_where_it_was_cut(tmp_path):
    client, platform, _ = client_of(
        httpx.Response(200, content=broken(b"one ", b"two ")), httpx.Response(206, content=b"three")
    )
    path = client.download("https://storage.example/r?signature=1", tmp_path / "1.flac")
    assert path.read_bytes() == b"one two three"
    assert [request.headers.get("Range") for request in platform.received] == [None, "bytes=8-"]
    assert [each.name for each in tmp_path.iterdir()] == ["1.flac"]


def test_download_begins_anew_where_parts_are_not_known(tmp_path):
    client, _, _ = client_of(
        httpx.Response(200, content=broken(b"one ")), httpx.Response(200, content=b"one two")
    )
    assert client.download("/api/v1/exports/1/file", tmp_path / "1.zip").read_bytes() == b"one two"


def test_key_goes_to_no_other_host(tmp_path):
    client, platform, _ = client_of(httpx.Response(200, content=b"1"), httpx.Response(200, content=b"1"))
    client.download("https://storage.example/r", tmp_path / "1")
    client.download("/api/v1/exports/1/file", tmp_path / "2")
    stored, exported = platform.received
    assert "Authorization" not in stored.headers
    assert exported.headers["Authorization"] == f"Bearer {KEY}"
    assert exported.url == f"{ADDRESS}/api/v1/exports/1/file"


def test_download_that_is_refused_leaves_no_file(tmp_path):
    client, _, _ = client_of(problem(404, "not_found"))
    with pytest.raises(errors.NotFound):
        client.download("/api/v1/exports/1/file", tmp_path / "1")
    assert not list(tmp_path.iterdir())


def test_message_is_believed_if_it_was_signed_with_the_secret():
    now = datetime.now(UTC).replace(microsecond=0)
    secret, body = "whsec_" + "a" * 32, '{"type": "webhook.test"}'
    signature = Webhook(secret).sign("m1", now, body)
    headers = {
        "Webhook-Id": "m1",
        "Webhook-Timestamp": f"{now.timestamp():.0f}",
        "Webhook-Signature": signature,
    }
    assert verify(secret, body.encode(), headers)["type"] == "webhook.test"
    with pytest.raises(NotGenuine):
        verify(secret, body.replace("test", "fake").encode(), headers)


async def test_async_client_does_the_same(tmp_path):
    pages = [{"items": [1, 2], "next": "c2"}, {"items": [3], "next": None}]
    platform = Platform(
        httpx.Response(503),
        httpx.Response(201, json={"id": "1"}),
        *(httpx.Response(200, json=page) for page in pages),
        httpx.Response(200, json={"items": ["a"], "next": "1", "has_more": False}),
        httpx.Response(200, json={"status": "waiting"}),
        httpx.Response(200, json={"status": "done"}),
        httpx.ReadError("cut"),
        httpx.Response(200, content=b"one"),
    )
    async with AsyncClient(ADDRESS, KEY, transport=platform) as client:
        client._sleep = lambda seconds: asyncio.sleep(0)
        assert (await client.send(INVITE))["id"] == "1"
        assert [item async for item in client.all(api.sessions())] == [1, 2, 3]
        assert await anext(client.events()) == "a"
        assert (await client.until(api.export("1"), lambda each: each["status"] == "done"))[
            "status"
        ] == "done"
        assert (await client.download("https://storage.example/r", tmp_path / "1")).read_bytes() == b"one"
