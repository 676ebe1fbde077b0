"""Our middleware works as the originals do, without a thread for each of its hooks."""

import pytest
from asgiref.sync import sync_to_async
from django.contrib import messages
from django.db import connections
from django.http import HttpResponse
from django.test import AsyncClient, Client
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from accounts.models import BrowserSession
from interview_platform.backends import middleware


def remember(request):
    request.session["seen"] = True
    messages.success(request, "Saved.")
    return HttpResponse("remembered")


def recall(request):
    said = [str(message) for message in messages.get_messages(request)]
    return HttpResponse(f"{request.session.get('seen')} {said}")


async def unprotected(request):
    return HttpResponse("done")


async def lasting(request):
    return HttpResponse("kept", headers={"Cache-Control": "public, max-age=60"})


urlpatterns = [
    path("lasting", lasting),
    path("remember", remember),
    path("recall", recall),
    path("protected", unprotected),
    path("unprotected", csrf_exempt(unprotected)),
]


@pytest.fixture
def client(settings):
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = [middleware.INLINE.get(name, name) for name in settings.MIDDLEWARE]
    return AsyncClient(enforce_csrf_checks=True)


@pytest.fixture
def no_threads(monkeypatch):
    """Fail if a hook would run in a thread."""

    def refuse(function, **options):
        raise AssertionError(f"{function} in a thread")

    monkeypatch.setattr(middleware, "sync_to_async", refuse)


async def test_response_is_kept_nowhere_unless_its_view_says_so(client):
    assert (await client.get("/protected"))["Cache-Control"] == "no-store"
    assert (await client.get("/lasting"))["Cache-Control"] == "public, max-age=60"


async def test_plain_request_goes_through_no_thread(client, no_threads):
    response = await client.get("/protected")
    assert response.content == b"done"
    assert (response["X-Frame-Options"], response["X-Content-Type-Options"]) == ("DENY", "nosniff")


async def test_exempt_post_goes_through_no_thread(client, no_threads):
    assert (await client.post("/unprotected")).status_code == 200


async def test_post_without_token_is_forbidden(client):
    assert (await client.post("/protected", {"a": "b"})).status_code == 403


async def test_session_and_messages_are_kept(client, transactional_db):
    await client.get("/remember")
    assert await BrowserSession.objects.acount() == 1
    assert (await client.get("/recall")).content == b"True ['Saved.']"
    assert (await client.get("/recall")).content == b"True []"
    await sync_to_async(connections.close_all)()


def test_hooks_work_without_an_event_loop(client, db):
    assert Client().get("/protected").content == b"done"
