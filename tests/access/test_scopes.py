"""Keys: each operation and each socket opens with the scope that it declares, and with no other."""

import re
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.test import Client

from accounts.models import ApiKey
from interview_platform.asgi import application
from tests import factories
from tests.access import addresses
from tests.access.test_matrix import rows, send  # noqa: F401  a fixture
from tests.access.visitors import _with_key
from voice.routing import websocket_urlpatterns

pytestmark = pytest.mark.django_db(transaction=True)

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "api-keys.md"
OPENED = re.compile(r"^\| `(\w+:\w+)` \| (.+) \|$", re.MULTILINE)
SCOPES = pytest.mark.parametrize("scope", ApiKey.Scope)


def described() -> dict[tuple[str, str], str]:
    """Return the scope of each method of each address, as the API describes itself."""
    paths = Client().get("/api/openapi.json").json()["paths"]
    return {
        (method.upper(), path): scope
        for path, operations in paths.items()
        for method, operation in operations.items()
        for requirement in operation["security"]
        for scope in requirement.get("VoiceKey", requirement.get("BearerKey", ()))
    }


def sockets() -> dict[str, str]:
    return {
        f"/{pattern.pattern}".replace("^", "").removesuffix("/?$"): pattern.callback.consumer_class.needs
        for pattern in websocket_urlpatterns
    }


def key_client(rows, scope):  # noqa: F811
    return _with_key(factories.ApiKeyFactory(organisation=rows.organisation, scopes=[scope]))


@SCOPES
def test_scope_opens_the_operations_that_declare_it_and_no_other(rows, scope):  # noqa: F811
    client, declared, wrong = key_client(rows, scope), described(), []
    for address in addresses.all_of(rows):
        needed = declared.get((address.method, address.template))
        if needed is None:
            continue
        response = send(client, address)
        is_refused = response.status_code == 403
        if is_refused != (needed != scope) or (is_refused and needed.encode() not in response.content):
            wrong.append(f"{address.method} {address.template}: {response.status_code}, needs {needed}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "scope", [ApiKey.Scope.RESULTS_READ, ApiKey.Scope.VOICE_READ, ApiKey.Scope.VOICE_WRITE]
)
async def test_scope_opens_the_sockets_that_declare_it_and_no_other(rows, scope):  # noqa: F811
    client = await sync_to_async(key_client)(rows, scope)
    headers = [(b"host", b"localhost"), (b"authorization", client.defaults["HTTP_AUTHORIZATION"].encode())]
    for path, needed in sockets().items():
        socket = WebsocketCommunicator(application, path, headers=headers)
        is_open, _protocol = await socket.connect(timeout=120)
        await socket.disconnect(timeout=120)
        assert is_open == (needed == scope), path


def test_document_lists_what_each_scope_opens(db):
    opened: dict[str, set[str]] = {scope: set() for scope in ApiKey.Scope}
    for (method, path), scope in described().items():
        opened[scope].add(f"{method} {path}")
    for path, scope in sockets().items():
        opened[scope].add(f"WS {path}")

    listed = {
        scope: set(re.findall(r"`([^`]+)`", cell)) for scope, cell in OPENED.findall(DOCUMENT.read_text())
    }

    assert listed == opened
