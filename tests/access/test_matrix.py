"""Each visitor at each address: admitted or refused as docs/security.md declares. Strangers learn nothing."""

import json
from datetime import timedelta
from functools import cache

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.contrib.auth import get_user
from django.forms.models import model_to_dict
from django.http import HttpRequest
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone

from interview_platform.asgi import application
from interview_platform.management.commands.publish_api import described
from tests.access import addresses, audited, organisation, table
from tests.access.organisation import MARK, TOLD_TO_NO_ONE
from tests.access.visitors import STRANGERS, VISITORS

COLUMNS, ROWS = table.read(table.DOCUMENT.read_text())
SENT = {
    "candidate_name": "Grace",
    "candidate_email": "grace@example.com",
    "expires_at": (timezone.now() + timedelta(days=3)).isoformat(),
    "reason": "as agreed",
}
"""What the bodies of all addresses need together, so that none is refused for what it says."""
OF_A_LINK = "/i/{token}/"
"""The link itself is the proof: whoever has it is the candidate."""

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def rows(clean_redis, settings):
    settings.VOICE = settings.VOICE | {"QUEUE_LIMIT": 0}  # no speech is made
    settings.METRICS_NETWORKS = []
    settings.LLM_BASE_URL, settings.LLM_MODEL, settings.LLM_NAME = "http://127.0.0.1:9/v1", "m", "Models Ltd"
    return organisation.make()


def is_admitted(response, address) -> bool:
    """Whether the address let the visitor in. Wrong input is refused only after that."""
    assert response.status_code < 500 or response.status_code == 503, (address.path, response.status_code)
    if response.status_code == 302:
        is_unknown = address.names_row and response["Location"] == reverse("admin:index")
        return not response["Location"].startswith(reverse("admin:login")) and not is_unknown
    return response.status_code not in (401, 403) and not (address.names_row and response.status_code == 404)


def send(client, address):
    if address.method == "GET":
        return client.get(address.path)
    body = bodies().get((address.method, address.template), SENT)
    return client.generic(address.method, address.path, json.dumps(body), content_type="application/json")


@cache
def bodies():
    """What the API's description gives as examples, by method and address."""
    return {
        (method.upper(), path): content["example"]
        for path, methods in described()["paths"].items()
        for method, operation in methods.items()
        for content in operation.get("requestBody", {}).get("content", {}).values()
        if "example" in content
    }


def everything(rows):
    return [model_to_dict(type(row).objects.get(pk=row.pk)) for row in rows]


def test_table_has_a_column_for_each_visitor():
    assert list(VISITORS) == COLUMNS


@pytest.mark.parametrize("visitor", VISITORS)
def test_visitor_is_admitted_as_declared(rows, visitor):
    client, before, wrong = VISITORS[visitor](rows), everything(rows), []
    for address in addresses.all_of(rows):
        last_entry = audited.last()
        response = send(client, address)
        if response.status_code == 405:  # the address knows no such method
            continue
        name = f"{address.method} {address.template}"
        told = addresses.body(response)
        assert not any(words.encode() in told for words in TOLD_TO_NO_ONE), (
            f"{name} tells {visitor} of groups"
        )
        if visitor in STRANGERS and not address.template.startswith(OF_A_LINK):
            assert MARK.encode() not in told, f"{name} tells {visitor}"
        declared = [visitor in row.admitted for row in table.find(ROWS, address.method, address.template)]
        admitted = is_admitted(response, address)
        is_done = admitted and response.status_code < 400
        if problem := audited.problem(address, told, is_done=is_done, since=last_entry):
            wrong.append(f"{name}: {problem}")
        if declared != [admitted]:
            answer = f"{response.status_code}, so {table.YES if admitted else table.NO}"
            wrong.append(f"{name}: {answer} for {visitor}, declared {declared}")
    assert not wrong, "\n".join(wrong)
    if visitor in STRANGERS:
        assert everything(rows) == before


def test_admin_actions_are_offered_as_declared(rows):
    wrong = []
    for visitor, sign_in in VISITORS.items():
        request = RequestFactory().get("/")
        request.user = user_of(sign_in(rows))
        for name, page in addresses.admin_actions():
            offered = name.partition(" ")[2] in page.get_actions(request)
            if [offered] != [visitor in row.admitted for row in table.find(ROWS, "ACTION", name)]:
                answer = table.YES if offered else table.NO
                wrong.append(f"ACTION {name}: offered, so {answer} for {visitor}")
    assert not wrong, "\n".join(wrong)


def user_of(client):
    request = HttpRequest()
    request.session = client.session
    return get_user(request)


@pytest.mark.parametrize("visitor", VISITORS)
async def test_visitor_is_admitted_to_sockets_as_declared(rows, visitor):
    client, wrong = await sync_to_async(VISITORS[visitor])(rows), []
    for template in addresses.sockets():
        socket = WebsocketCommunicator(
            application, template.format(token=rows.invitation.token), headers=headers_of(client)
        )
        is_open, _protocol = await socket.connect(timeout=120)
        await socket.disconnect(timeout=120)
        declared = [visitor in row.admitted for row in table.find(ROWS, "WS", template)]
        if declared != [is_open]:
            answer = f"WS, so {table.YES if is_open else table.NO}"
            wrong.append(f"WS {template}: {answer} for {visitor}, declared {declared}")
    assert not wrong, "\n".join(wrong)


def headers_of(client) -> list[tuple[bytes, bytes]]:
    cookies = client.cookies.output(header="", sep=";").strip()
    sent = {
        "host": "localhost",
        "origin": "http://localhost",
        "authorization": client.defaults.get("HTTP_AUTHORIZATION", ""),
        "cookie": cookies,
    }
    return [(name.encode(), value.encode()) for name, value in sent.items() if value]


def test_every_row_of_the_table_is_about_something(rows):
    known = {(address.method, address.template) for address in addresses.all_of(rows)}
    known |= {("ACTION", name) for name, _page in addresses.admin_actions()}
    known |= {("WS", template) for template in addresses.sockets()}
    idle = [row for row in ROWS if not any(table.find([row], *one) for one in known)]
    assert not idle
