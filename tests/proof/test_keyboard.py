"""The whole work of a reviewer and of a recruiter with the keyboard alone, in Chromium.

Tab must reach everything, and the focus must be seen wherever it is. `Keyboard` clicks nothing.
"""

import re
from collections.abc import Iterator

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect, sync_playwright

from accounts.models import Membership, User
from interviews.actions.assignments import assign
from interviews.models import Session
from tests import factories
from tests.browser.browsers import chromium_browser, fresh_page

pytestmark = [
    pytest.mark.proof,
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("clean_redis"),
    pytest.mark.timeout(900),
]

Role = Membership.Role
MOST_TABS = 250
PATIENCE_MS = 60_000
IS_FOCUSED = "(element) => element === document.activeElement"
WHERE = "() => document.activeElement.cloneNode(false).outerHTML.slice(0, 200)"
IS_SEEN = """() => {
  const NAMES = ["outline", "boxShadow", "borderColor", "backgroundColor", "color", "textDecoration"];
  const focused = document.activeElement;
  const looks = () => {
    const parts = [];
    for (let part = focused, n = 0; part && n < 4; part = part.parentElement, n += 1) {
      const style = getComputedStyle(part);
      parts.push(...NAMES.map((name) => style[name]));
    }
    return parts.join();
  };
  const { top, bottom, left, right } = focused.getBoundingClientRect();
  const isInside = bottom > 0 && top < innerHeight && right > 0 && left < innerWidth;
  const before = looks();
  focused.blur();
  const isMarked = looks() !== before;
  focused.focus({ preventScroll: true, focusVisible: true });
  return isInside && isMarked;
}"""
"""Whether the element with the focus is on the screen, and looks different from one without it."""


class Keyboard:
    """A person without a mouse."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url = page, url
        page.set_default_timeout(PATIENCE_MS)

    def open(self, name: str, *arguments: object) -> None:
        """Type an address."""
        self.page.goto(self.url + reverse(name, args=arguments))

    def reach(self, wanted: Locator, *, back: bool = False) -> None:
        """Press Tab until something has the focus. Everything on the way must show that it has it."""
        wanted.wait_for()
        passed = []
        for _ in range(MOST_TABS):
            self.page.keyboard.press("Shift+Tab" if back else "Tab")
            where = self.page.evaluate(WHERE)
            assert where.startswith("<body") or self.page.evaluate(IS_SEEN), (
                f"the focus is not seen on {where}"
            )
            passed.append(where)
            if wanted.evaluate(IS_FOCUSED):
                return
        raise AssertionError(f"Tab does not reach {wanted}, but:\n" + "\n".join(passed[-20:]))

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def write(self, text: str) -> None:
        self.page.keyboard.type(text)

    def enter(self, wanted: Locator) -> None:
        """Reach a link or a button, and press it."""
        self.reach(wanted)
        self.press("Enter")

    def fill(self, wanted: Locator, text: str) -> None:
        """Reach a field, and write into it."""
        self.reach(wanted)
        self.press("Control+a")
        self.write(text)

    def sign_in(self, name: str) -> None:
        self.open("admin:index")
        self.fill(self.page.get_by_label("Username"), name)
        self.fill(self.page.get_by_label("Password"), factories.PASSWORD)
        self.press("Enter")
        expect(self.page).to_have_url(self.url + reverse("admin:index"))


@pytest.fixture
def site(live_server, settings) -> str:
    """With two finished interviews, which a reviewer is to score."""
    settings.VOICE = settings.VOICE | {"BASE_URL": live_server.url}
    settings.EMAIL_URL = {"EMAIL_BACKEND": "django.core.mail.backends.locmem.EmailBackend"}
    organisation = factories.OrganisationFactory(name="Northwind")
    people = {name: _person(organisation, name, role) for name, role in ROLES.items()}
    interview = factories.InterviewFactory(organisation=organisation, questions=2, published=False)
    factories.CriterionFactory.create_batch(2, interview=interview)
    factories.publish(interview)
    sessions = [_candidate(interview, name) for name in ("Ada Lovelace", "Grace Hopper")]
    assign(sessions=sessions, reviewers=[people["anna"]], each=1, by=people["olga"], now=timezone.now())
    return live_server.url


ROLES = {"anna": Role.REVIEWER, "olga": Role.OWNER, "rita": Role.RECRUITER}


def _person(organisation, name: str, role: str) -> User:
    user = factories.UserFactory(username=name)
    factories.MembershipFactory(organisation=organisation, user=user, role=role)
    return user


def _candidate(interview, name: str) -> Session:
    session = factories.SessionFactory(
        invitation__interview=interview, invitation__candidate_name=name, finished=True
    )
    for position, question in enumerate(interview.questions.all(), start=1):
        asked = {"question": question, "question_text": question.text, "position": position}
        factories.AnswerFactory(session=session, accepted=True, **asked)
    return Session.objects.get(pk=session.pk)


@pytest.fixture
def keyboard(site) -> Iterator[Keyboard]:
    """Made after the rows: its event loop forbids to ask the database."""
    with sync_playwright() as playwright, chromium_browser(playwright) as browser:
        with fresh_page(browser, locale="en-GB") as page:
            yield Keyboard(page, site)


def test_reviewer_works_by_keyboard(keyboard):
    page = keyboard.page
    keyboard.sign_in("anna")
    keyboard.enter(page.get_by_role("link", name="My reviews"))
    keyboard.enter(page.get_by_role("link", name="Ada Lovelace"))
    expect(page.locator("[data-candidate]")).to_have_text("Ada Lovelace")

    listen_by_keys(keyboard)
    score_by_keys(keyboard)
    note_by_keys(keyboard)
    expect(page.get_by_role("region", name="Decision")).to_contain_text("Not decided yet.")
    keyboard.enter(page.locator("[data-next]"))
    expect(page.locator("[data-candidate]")).to_have_text("Grace Hopper")
    compare_by_keys(keyboard)


def listen_by_keys(keyboard: Keyboard) -> None:
    page = keyboard.page
    keyboard.reach(page.get_by_role("slider", name="Position in the interview"))
    keyboard.press("Space")
    expect(page.locator("[data-do=toggle]")).to_have_text("Pause")
    keyboard.press("Space")
    expect(page.locator("[data-do=toggle]")).to_have_text("Play")
    keyboard.press("k", "j", "k")  # from whichever answer was heard last
    expect(page.locator("[data-answer='1'] .ip-word:focus")).to_have_text("I")
    keyboard.press(".")
    expect(page.locator("[data-answer='1'] .ip-word:focus")).to_have_text("built")
    keyboard.press("Shift+Slash")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()


def score_by_keys(keyboard: Keyboard) -> None:
    page = keyboard.page
    criteria = page.locator("[data-criterion]")
    for n, level in enumerate("34"):
        keyboard.reach(criteria.nth(n).locator("input").first)
        with page.expect_response("**/draft/"):
            keyboard.press(level)
        keyboard.reach(criteria.nth(n).get_by_role("textbox"))
        with page.expect_response("**/draft/"):
            keyboard.write("He named two reasons")
    keyboard.press("Control+Enter")
    expect(page.locator("#evaluation [data-said]")).to_be_focused()
    expect(page.locator("#evaluation [data-said]")).to_have_text("Submitted.")


def note_by_keys(keyboard: Keyboard) -> None:
    page = keyboard.page
    keyboard.fill(page.get_by_role("textbox", name="Note", exact=True), "@olga, please listen")
    keyboard.press("Control+Enter")
    expect(page.locator(".ip-written")).to_contain_text("please listen")


def compare_by_keys(keyboard: Keyboard) -> None:
    page = keyboard.page
    keyboard.enter(page.get_by_role("link", name="Candidates’ interviews").first)
    rows = page.locator("#result_list tbody")
    for row in (rows.nth(0), rows.nth(1)):
        keyboard.reach(row.get_by_role("checkbox"))
        keyboard.press("Space")
    keyboard.reach(page.locator("select[name=action]"))
    keyboard.write("Compare")
    keyboard.enter(page.locator("button[name=index]"))
    expect(page.locator(".ip-compare")).to_be_visible()
    keyboard.press("Space")
    expect(page.locator(".ip-playing")).to_have_count(1)
    keyboard.press("ArrowDown")
    expect(page.locator("[data-row]").nth(1)).to_be_focused()


def test_recruiter_works_by_keyboard(keyboard):
    keyboard.sign_in("rita")
    write_by_keys(keyboard)
    publish_by_keys(keyboard)
    invite_by_keys(keyboard)
    send_again_by_keys(keyboard)


def write_by_keys(keyboard: Keyboard) -> None:
    page = keyboard.page
    keyboard.enter(page.get_by_role("link", name="New interview"))
    keyboard.fill(page.locator("[name=title]"), "Workshop assistant")
    keyboard.enter(page.locator("#questions-group .add-row a, #questions-group a.add-row"))
    for n, text in enumerate(("What did you build last?", "What would you do otherwise?")):
        if n:
            keyboard.enter(page.locator("#questions-group .add-row a, #questions-group a.add-row"))
        keyboard.fill(page.locator(f"[name=questions-{n}-text]"), text)
    keyboard.enter(page.locator("[name=_continue]"))
    expect(page).to_have_url(re.compile("/change/"))
    expect(page.locator("[name=questions-1-text]")).to_have_value("What would you do otherwise?")


def publish_by_keys(keyboard: Keyboard) -> None:
    page = keyboard.page
    keyboard.enter(page.locator("a[href$='/publish/']"))
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    assert dialog.evaluate("dialog => dialog.contains(document.activeElement)"), "the focus goes into it"
    keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.locator("a[href$='/publish/']")).to_be_focused()
    keyboard.press("Enter")
    keyboard.enter(dialog.locator("[type=submit]"))
    expect(page.get_by_text("Published.", exact=True)).to_be_visible()


def invite_by_keys(keyboard: Keyboard) -> None:
    page = keyboard.page
    keyboard.enter(page.get_by_role("link", name="Invite a candidate"))
    keyboard.fill(page.locator("[name=candidate_name]"), "Alan Turing")
    keyboard.fill(page.locator("[name=candidate_email]"), "alan@example.com")
    keyboard.press("Enter")
    expect(page.get_by_text("Alan Turing is invited, and an e-mail is on its way.")).to_be_visible()


def send_again_by_keys(keyboard: Keyboard) -> None:
    page = keyboard.page
    keyboard.enter(page.get_by_role("button", name="Arrange"))
    expect(page.get_by_role("link", name="Accommodations")).to_be_focused()
    keyboard.enter(page.get_by_role("link", name="Send again"))
    keyboard.enter(page.get_by_role("dialog").locator("[type=submit]"))
    expect(page.get_by_text("An e-mail is on its way.", exact=True)).to_be_visible()
