"""The licence: everybody who uses the platform is offered its source code, on every page."""

import io
import zipfile

import pytest
from django.test import Client, RequestFactory
from django.urls import reverse
from django.views.defaults import server_error

from interview_platform.web import source
from tests.access import addresses, organisation
from tests.access.visitors import VISITORS

LINK = 'href="/source/"'

pytestmark = pytest.mark.django_db


def is_page(response) -> bool:
    """Whether the response is a whole page for people."""
    return not response.streaming and b"<html" in response.content


@pytest.mark.parametrize("visitor", ["anybody", "superuser"])
def test_every_page_links_to_it(visitor, clean_redis, settings):
    settings.VOICE = settings.VOICE | {"QUEUE_LIMIT": 0, "IS_PUBLIC": True}
    rows = organisation.make()
    client = VISITORS[visitor](rows)
    pages, without = 0, []
    for address in addresses.all_of(rows):
        if address.method != "GET" or address.path == reverse("api:openapi-view"):
            continue
        response = client.get(address.path)
        response.close()
        if is_page(response):
            pages += 1
            if LINK not in response.content.decode():
                without.append(f"{address.template}: {response.status_code}")
    assert pages > 10
    assert not without


def test_error_pages_link_to_it(client, settings):
    settings.DEBUG = False
    assert LINK in client.get("/no/such/page").content.decode()
    refused = Client(enforce_csrf_checks=True).post(reverse("interviews:data", args=["x"]))
    assert (refused.status_code, LINK in refused.content.decode()) == (403, True)
    assert LINK in server_error(RequestFactory().get("/")).content.decode()


def test_source_is_what_runs_and_nothing_else(client):
    response = client.get("/source/")
    archive = zipfile.ZipFile(io.BytesIO(response.content))
    names = archive.namelist()
    assert {"LICENSE", "manage.py", "requirements.lock", "voice/apps.py", "templates/base.html"} <= set(names)
    assert archive.read("interview_platform/web/source.py").decode().startswith('"""The source code')
    assert not [name for name in names if name.endswith((".env", ".pyc")) or name.startswith(("var/", "."))]
    assert len(response.content) < 10_000_000


def test_operator_may_publish_it_elsewhere(client, settings):
    settings.SOURCE_URL = "https://code.example/platform"
    assert client.get("/source/")["Location"] == settings.SOURCE_URL


def test_what_an_operator_adds_is_not_sent(monkeypatch, tmp_path):
    (tmp_path / "accounts").mkdir()
    for name in ("models.py", "secrets.env", ".env", "dump.sql"):
        (tmp_path / "accounts" / name).write_text("x")
    monkeypatch.setattr(source, "ROOT", tmp_path)
    assert [path.name for path in source._files()] == ["models.py"]
