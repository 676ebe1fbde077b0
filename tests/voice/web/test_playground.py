import json

import pytest
from django.urls import reverse

from tests import factories
from voice.web import playground

pytestmark = pytest.mark.django_db

SEGMENT = {
    "text": "Good morning.",
    "start": 0.5,
    "end": 1.5,
    "words": [
        {"word": "Good", "start": 0.5, "end": 0.9, "confidence": 0.9},
        {"word": "morning.", "start": 0.9, "end": 1.5, "confidence": 0.4},
    ],
}


@pytest.fixture(autouse=True)
def _fresh_languages():
    playground.recognised_languages.cache_clear()
    yield
    playground.recognised_languages.cache_clear()


@pytest.fixture
def public(settings):
    settings.VOICE = {**settings.VOICE, "IS_PUBLIC": True}


def config_of(page):
    text = page.content.decode().split('<script id="playground-config" type="application/json">')[1]
    return json.loads(text.split("</script>")[0])


def subtitles(client, extension, payload):
    url = reverse("voice:playground-subtitles", args=[extension])
    return client.post(url, payload, content_type="application/json")


def test_playground_sends_anonymous_visitors_to_sign_in(client):
    page = client.get("/playground")
    assert (page.status_code, page.url) == (302, "/admin/login/?next=/playground")
    assert subtitles(client, "srt", {"segments": [SEGMENT]}).status_code == 403


@pytest.mark.parametrize("user", [{"user__is_staff": False}, {"role": ""}], ids=["not staff", "no role"])
def test_playground_refuses_users_who_are_not_members(client, user):
    person = factories.MembershipFactory(**user).user if "role" not in user else factories.UserFactory()
    client.force_login(person)
    assert client.get("/playground").status_code == 403
    assert subtitles(client, "srt", {"segments": [SEGMENT]}).status_code == 403


def test_playground_opens_for_members_with_a_way_back(client):
    client.force_login(factories.MembershipFactory().user)
    page = client.get("/playground")
    assert page.status_code == 200
    assert reverse("speech-engines") in page.content.decode()
    assert page["Cache-Control"].startswith("max-age=0")
    assert config_of(page)["csrf_token"]


@pytest.mark.usefixtures("public")
def test_playground_opens_for_everybody_where_the_service_is_public(client):
    page = client.get("/playground")
    assert page.status_code == 200
    assert reverse("speech-engines") not in page.content.decode()
    assert subtitles(client, "srt", {"segments": [SEGMENT]}).status_code == 200


@pytest.mark.usefixtures("public")
def test_playground_tells_limits_and_what_is_recognised(client, settings):
    settings.VOICE = {**settings.VOICE, "STT_ENGINES": ["pocketsphinx"], "MAX_TEXT_CHARS": 123}
    page = client.get("/playground")
    assert config_of(page)["recognised"] == ["en"]
    assert config_of(page)["samples"]["de"].startswith("Guten Tag")
    assert 'maxlength="123"' in page.content.decode()


@pytest.mark.usefixtures("public")
@pytest.mark.parametrize(("extension", "time"), [("srt", "00:00:00,500"), ("vtt", "00:00:00.500")])
def test_subtitles_of_what_the_page_was_told(client, extension, time):
    answer = subtitles(client, extension, {"segments": [SEGMENT]})
    assert f"{time} --> " in answer.content.decode()
    assert "Good morning." in answer.content.decode()


@pytest.mark.usefixtures("public")
@pytest.mark.parametrize(
    "payload",
    [
        "no JSON",
        "[" * 100_000,
        "[]",
        {},
        {"segments": 3},
        {"segments": [{"text": 1}]},
        {"segments": [SEGMENT | {"text": 1}]},
        {"segments": [SEGMENT | {"words": [], "end": float("inf")}]},
    ],
)
def test_subtitles_of_anything_else_are_refused(client, payload):
    assert subtitles(client, "srt", payload).status_code == 422
