"""Every page in Chromium, at 360 and 1280 pixels, light and dark: of an organisation without rows, with one
row of each kind and with a thousand; and every page of the candidate, in each language.

Pages are found by their addresses, so a new one is looked at without a line here. `PAGES_DIR` names a
directory for the pictures:

    PAGES_DIR=/tmp/pages make proof ARGS="tests/proof/test_pages.py -k thousand"
"""

import json
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, sync_playwright

from accounts.models import Membership, Organisation, User
from interviews.models import Assignment, Decision, Invitation, Session
from tests import factories
from tests.access import addresses, organisation
from tests.access.organisation import Rows
from tests.browser.browsers import chromium_browser
from tests.proof import candidates, copies
from tests.proof.looks import Looker

pytestmark = [
    pytest.mark.proof,
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("clean_redis"),
    pytest.mark.timeout(1800),
]

Role = Membership.Role
THOUSAND = 1000
MICROPHONE = ["--use-fake-device-for-media-stream"]
MOST_FORMS = 4
"""Pages in turn that are forms."""
OF_STAFF = ("/admin/", "/playground", "/join/")
NOT_OURS = ("/admin/logout/", "/admin/jsi18n/", "/django-rq/", "/api/docs")
"""Signing out, a script, and pages of libraries that have an own look."""
QUERIES = {
    "/admin/interviews/session/compare/": "?session={session}&session={other}",
    "/admin/interviews/session/assign/": "?session={session}",
    "/admin/transcript-search/": "?q=smile",
    "/admin/candidates/": "?q=ada",
}
"""What else the address of a page needs before it shows anything."""
LONG = "Softwarequalitätssicherungsabteilungsleiterin (befristet, in Teilzeit) für Kundendienstzusammenarbeit"
"""A name as it happens: of a hundred characters, with a word of 45."""


class Seen(NamedTuple):
    """What a person sees. pages: addresses by name. cookie: of the person."""

    pages: dict[str, str]
    cookie: str


@pytest.fixture
def site(live_server, settings) -> str:
    settings.VOICE = settings.VOICE | {"BASE_URL": live_server.url, "QUEUE_LIMIT": 0}
    settings.EMAIL_URL = {"EMAIL_BACKEND": "django.core.mail.backends.locmem.EmailBackend"}
    return live_server.url


@pytest.fixture
def looker(language) -> Iterator[Looker]:
    """Made after the rows: its event loop forbids to ask the database."""
    with sync_playwright() as playwright, chromium_browser(playwright, options=MICROPHONE) as browser:
        with browser.new_context(locale=language, permissions=["microphone"]) as context:
            yield Looker(context.new_page())


def nothing() -> tuple[Organisation, Rows | None]:
    return factories.OrganisationFactory(name="Northwind"), None


def one() -> tuple[Organisation, Rows | None]:
    rows = organisation.make()
    _finish(rows)
    return rows.organisation, rows


def thousand() -> tuple[Organisation, Rows | None]:
    """With long names."""
    rows = organisation.make()
    _lengthen(rows)
    _finish(rows)
    copies.make(rows, THOUSAND)
    return rows.organisation, rows


def _finish(rows: Rows) -> None:
    """Let the candidate have finished, and the colleague have answered blind."""
    now = timezone.now()
    Session.objects.filter(pk=rows.session.pk).update(status=Session.Status.FINISHED, finished_at=now)
    Invitation.objects.filter(pk=rows.invitation.pk).update(status=Invitation.Status.FINISHED)


def _lengthen(rows: Rows) -> None:
    """Give rows texts as long as they happen."""
    for row, fields in (
        (rows.organisation, {"name": LONG}),
        (rows.user, {"first_name": "Maximiliane-Theodora", "last_name": "von Hohenstein-Schwarzenbergwald"}),
        (rows.interview, {"title": LONG, "job_title": LONG}),
        (
            rows.invitation,
            {"candidate_name": f"Hubert Wolfeschlegelsteinhausen, {LONG[:70]}"},
        ),
        (rows.criterion, {"name": LONG[:100], "meaning": f"{LONG}. {LONG}.", "levels": [LONG] * 4}),
        (rows.bankquestion, {"text": f"{LONG}? {LONG}?"}),
        (rows.interview.questions.get(), {"text": f"{LONG}? {LONG}?"}),
        (rows.answer, {"question_text": f"{LONG}? {LONG}?"}),
        (rows.note, {"text": f"{LONG} {'h' * 90}"}),
        (rows.decision, {"reason": f"{LONG} {'h' * 90}", "outcome": Decision.Outcome.HOLD}),
    ):
        type(row).objects.filter(pk=row.pk).update(**fields)
    rows.interview.refresh_from_db()
    Session.objects.filter(pk=rows.session.pk).update(definition=factories.publish(rows.interview))


def person(of: Organisation, role: str, language: str) -> User:
    """A member to whom all candidates are assigned."""
    user = factories.UserFactory(first_name="Anna", last_name="Berg", language=language)
    factories.MembershipFactory(organisation=of, user=user, role=role)
    sessions = Session.objects.filter(invitation__interview__organisation=of)
    Assignment.objects.bulk_create(Assignment(session=session, reviewer=user) for session in sessions)
    return user


def pages_of(user: User, rows: Rows | None) -> Seen:
    """Ask every address, and return those that answer with a page. Without rows none may name one."""
    client = Client(raise_request_exception=False)
    client.force_login(user)
    found = {}
    for address in addresses.all_of(rows or organisation.make()):
        path = address.path + _query(address.template, rows)
        is_asked = address.method == "GET" and path.startswith(OF_STAFF) and not path.startswith(NOT_OURS)
        if is_asked and not (rows is None and address.names_row):
            response = client.get(path)
            assert response.status_code < 500, path
            if response.status_code == 200 and _is_page(response):
                found[address.template] = path
            response.close()
    return Seen(found, client.cookies["sessionid"].value)


def _query(template: str, rows: Rows | None) -> str:
    if rows is None or template not in QUERIES:
        return ""
    other = Session.objects.exclude(pk=rows.session.pk).first() or rows.session
    return QUERIES[template].format(session=rows.session.pk, other=other.pk)


def _is_page(response) -> bool:
    return response["Content-Type"].startswith("text/html") and b"</html>" in addresses.body(response)


@pytest.mark.parametrize(
    ("rows_of", "role", "language"),
    [
        pytest.param(nothing, Role.OWNER, "en", id="empty"),
        pytest.param(one, Role.OWNER, "fr", id="one"),
        pytest.param(one, Role.REVIEWER, "es", id="one-reviewer"),
        pytest.param(thousand, Role.OWNER, "de", id="thousand"),
    ],
)
def test_pages_of_staff(site, rows_of, role, language, request):
    of, rows = rows_of()
    seen = pages_of(person(of, role, language), rows)
    looker = request.getfixturevalue("looker")
    looker.keep_in(f"{rows_of.__name__}-{role}")
    looker.page.context.add_cookies([{"name": "sessionid", "value": seen.cookie, "url": site}])
    for name, path in seen.pages.items():
        looker.look(name, site + path)
    assert len(seen.pages) > 10
    assert not looker.problems, "\n".join(looker.problems)


class Candidates(NamedTuple):
    """pages: addresses by name. rooms: what the server sends into each room, by the room's address."""

    pages: dict[str, str]
    rooms: dict[str, tuple[str, list[dict]]]


def pages_of_candidates(language: str) -> Candidates:
    """Return every address of a candidate with links in every state, those that erase last."""
    interview = candidates.interview(language)
    links = candidates.links(interview)
    templates = {
        address.template
        for address in addresses.all_of(organisation.make())
        if address.method == "GET" and address.template.startswith(tuple(links))
    }
    found = {}
    for template in sorted(templates, key=lambda each: ("/data/" in each, each)):
        beginning = next(each for each in links if template.startswith(each))
        for state, token in links[beginning].items():
            path = template.format(token=token)
            if _is_page(Client().get(path)):
                found[f"{template} {state}"] = path
    rooms = candidates.rooms(interview)
    return Candidates(
        found,
        {name: (reverse("interviews:room", args=[token]), sent) for name, (token, sent) in rooms.items()},
    )


@pytest.mark.parametrize("language", candidates.LANGUAGES)
def test_pages_of_candidates(site, language, request):
    seen = pages_of_candidates(language)
    looker = request.getfixturevalue("looker")
    looker.keep_in(f"candidate-{language}")
    page = looker.page
    page.route_web_socket("**/ws/**", lambda socket: None)  # connected, and silent
    known: set[str] = set()
    for name, path in seen.pages.items():
        page.goto(site + path)
        for step in range(MOST_FORMS):
            text = page.locator("main").inner_text()
            if text in known:
                break
            known.add(text)
            looker.look_here(f"{name} {step or ''}".strip())
            if not send_form(page):
                break
    assert not looker.problems, "\n".join(looker.problems)


def send_form(page: Page) -> bool:
    """Send the form of the page as it is, so that what it answers is looked at, too; False without one."""
    form = page.locator("main form")
    if not form.count():
        return False
    with page.expect_navigation():
        form.first.evaluate("form => { form.noValidate = true; form.requestSubmit(); }")
    return True


@pytest.mark.parametrize("language", candidates.LANGUAGES)
def test_room_at_every_step(site, language, request):
    """As the server's first message shows it, and after its main button."""
    rooms = pages_of_candidates(language).rooms
    looker = request.getfixturevalue("looker")
    looker.keep_in(f"room-{language}")
    page = looker.page
    for name, (path, sent) in rooms.items():
        answered = [json.dumps(message) for message in sent]
        page.route_web_socket("**/ws/**", lambda socket, said=answered: [socket.send(each) for each in said])
        page.goto(site + path)
        page.locator("#stage h1:visible").wait_for()
        looker.look_here(name)
        button = page.locator("#stage .button:visible")
        if button.count():
            button.first.click()
            looker.look_here(f"{name}, gone on")
        page.goto("about:blank")  # the room forbids to leave while it has something to send
    assert not looker.problems, "\n".join(looker.problems)
