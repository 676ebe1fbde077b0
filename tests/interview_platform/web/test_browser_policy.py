"""Headers that tell browsers what a page may do, and Django's own checks of a deployment."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import unfold
from asgiref.sync import sync_to_async
from channels.testing import ApplicationCommunicator
from django.conf import settings
from django.db import connections

from interview_platform.backends.middleware import INLINE
from interview_platform.server import request_threads
from tests import factories

ROOT = Path(__file__).resolve().parents[3]
HTTPS = {
    "BASE_URL": "https://interviews.example",
    "ALLOWED_HOSTS": "interviews.example",
    "BEHIND_PROXY": "true",
    "SECRET_KEY": "x" * 20 + "abcdefghijklmnopqrstuvwxyz0123456789",
    "AUDIT_KEYS": "a-key-of-the-audit-for-these-checks",
    "DEBUG": "false",
}


def policy_of(response) -> dict[str, set[str]]:
    directives = response["Content-Security-Policy"].split(";")
    return {name: set(values) for name, *values in map(str.split, directives)}


@pytest.fixture
def page(client, db):
    """A candidate's page, of an organisation with a colour of its own."""
    interview = factories.InterviewFactory(organisation__accent_colour="#0b6e4f")
    return client.get(f"/i/{factories.InvitationFactory(interview=interview).token}/")


def test_candidates_pages_run_no_inline_script_and_no_eval(page):
    policy = policy_of(page)

    assert policy["default-src"] == {"'none'"}
    assert not any("unsafe" in value for values in policy.values() for value in values)
    (nonce,) = re.findall(r'<style nonce="(.+?)">', page.content.decode())
    assert f"'nonce-{nonce}'" in policy["style-src"]


def test_nonce_is_new_each_time(client, db):
    interview = factories.InterviewFactory(organisation__accent_colour="#0b6e4f")
    address = f"/i/{factories.InvitationFactory(interview=interview).token}/"
    first, second = (client.get(address)["Content-Security-Policy"] for _ in range(2))

    assert first != second


def test_admin_has_eval_for_its_theme_and_no_inline_script(client, db):
    response = client.get("/admin/login/")
    policy = policy_of(response)

    assert "'unsafe-eval'" in policy["script-src"]
    assert "'unsafe-inline'" not in policy["script-src"] | policy["style-src"]
    (nonce,) = re.findall(r'<style nonce="(.+?)" id="unfold-theme-colors">', response.content.decode())
    assert f"'nonce-{nonce}'" in policy["style-src"]


@pytest.mark.parametrize(
    ("path", "microphone"), [("/i/link/", "(self)"), ("/playground", "(self)"), ("/admin/login/", "()")]
)
def test_microphone_is_for_pages_that_record(client, db, path, microphone):
    assert f"microphone={microphone}" in client.get(path)["Permissions-Policy"]


def test_theme_has_not_changed_below_our_copy_of_its_page():
    theirs = Path(unfold.__file__).parent / "templates/unfold/layouts/skeleton.html"
    ours = (ROOT / "templates/unfold/layouts/skeleton.html").read_text()
    without = re.sub(r' nonce="{{ request.csp_nonce }}"', "", ours)
    without = re.sub(r' data-name-\w+="{% trans "\w+" %}"', "", without)
    without = re.sub(r' +<footer class="ip-source">.+\n\n', "", without)
    without = re.sub(r" +<meta name=.htmx-config.+\n", "", without)

    assert without == theirs.read_text()


def test_web_process_runs_our_version_of_every_middleware_that_waits_for_nothing():
    names = settings.MIDDLEWARE
    handler = request_threads.Handler()
    handler.load_middleware(is_async=True)

    assert set(INLINE) <= set(names)
    assert settings.MIDDLEWARE is names


def manage(*arguments: str, **environment: str) -> str:
    """Return what a management command says."""
    command = [sys.executable, "-W", "ignore::UserWarning", str(ROOT / "manage.py"), *arguments]
    env = {**os.environ, **environment}
    result = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    return result.stdout + result.stderr


def test_deployment_over_https_has_nothing_to_warn_of():
    assert "no issues" in manage("check", "--deploy", **HTTPS)


def test_deployment_over_http_is_warned_of():
    told = manage("check", "--deploy", **HTTPS | {"BASE_URL": "http://interviews.example"})

    assert set(re.findall(r"security\.W\d+", told)) == {
        f"security.W{n}" for n in ("004", "008", "012", "016")
    }


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_https", [True, False])
async def test_plain_http_is_redirected_behind_a_proxy(settings, is_https):
    settings.SECURE_SSL_REDIRECT, settings.SECURE_HSTS_SECONDS = True, 100
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    headers = [(b"host", b"127.0.0.1"), (b"x-forwarded-proto", b"https" if is_https else b"http")]
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/admin/login/",
        "query_string": b"",
        "headers": headers,
    }
    asked = ApplicationCommunicator(request_threads.Handler(), scope)
    await asked.send_input({"type": "http.request", "body": b""})
    start = await asked.receive_output(timeout=120)
    answer = dict(start["headers"])
    await asked.receive_output(timeout=120)
    await sync_to_async(connections.close_all)()

    if is_https:
        assert start["status"] == 200
        assert answer[b"Strict-Transport-Security"] == b"max-age=100; includeSubDomains"
    else:
        assert (start["status"], answer[b"Location"]) == (301, b"https://127.0.0.1/admin/login/")


def test_health_is_asked_over_plain_http(client, settings):
    settings.SECURE_SSL_REDIRECT = True

    assert client.get("/health").status_code == 200
