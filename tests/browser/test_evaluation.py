"""Scoring and comparing in Chromium: by keyboard, with a draft that is kept, accessible in light and dark."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect, sync_playwright

from accounts.models import Membership
from interviews.actions import decisions, notes, scorecards
from interviews.actions.assignments import assign
from interviews.models import DraftEvaluation, Session, Suggestion
from interviews.queries import suggestions
from tests import factories
from tests.browser.browsers import chromium_browser, fresh_page
from tests.browser.test_accessibility import RULES, SCHEMES, wait_for_colours

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("clean_redis"),
]

Role = Membership.Role
DEADLINE_MS = 60_000
LEVELS = [
    "Names no situation of their own",
    "Describes a situation, but not what they did in it",
    "Says what they did, and why",
    "Also weighs what came of it, and what they would do otherwise",
]


class Team(NamedTuple):
    """ours: two candidates whom Anna is to score, and Ben has scored. cookies: of Anna and of the owner."""

    url: str
    ours: list[Session]
    interview: object
    anna: str
    owner: str

    def address(self, name: str, *args: object) -> str:
        return self.url + reverse(f"admin:interviews_{name}", args=args)


@pytest.fixture
def team(live_server, settings) -> Team:
    """Made before a browser is there: its event loop would forbid to ask the database."""
    settings.VOICE = settings.VOICE | {"BASE_URL": live_server.url}  # where recordings are
    organisation = factories.OrganisationFactory(name="Northwind", contact_email="jobs@northwind.example")
    people = {}
    for name, role in (("anna", Role.REVIEWER), ("ben", Role.REVIEWER), ("olga", Role.OWNER)):
        people[name] = factories.UserFactory(username=name)
        factories.MembershipFactory(organisation=organisation, user=people[name], role=role)
    interview = factories.InterviewFactory(
        organisation=organisation, title="Support engineer", questions=2, published=False
    )
    for name, meaning in (
        ("Takes responsibility", "Speaks of what they did themselves, also when it went wrong."),
        ("Explains clearly", "A colleague from another team could follow."),
    ):
        row = factories.CriterionFactory(interview=interview, name=name, meaning=meaning, levels=LEVELS)
    row.questions.add(interview.questions.last())
    factories.publish(interview)
    ours = [_candidate(interview, name) for name in ("Ada Lovelace", "Grace Hopper")]
    _judge(ours, people)
    _draft(ours[0])
    return Team(live_server.url, ours, interview, _cookie(people["anna"]), _cookie(people["olga"]))


def _candidate(interview, name) -> Session:
    session = factories.SessionFactory(
        invitation__interview=interview, invitation__candidate_name=name, finished=True
    )
    for place, question in enumerate(interview.questions.all(), start=1):
        asked = {"question": question, "question_text": question.text, "position": place}
        factories.AnswerFactory(session=session, accepted=True, **asked)
    return Session.objects.get(pk=session.pk)


def _judge(ours, people) -> None:
    now, (first, _second) = timezone.now(), ours
    assign(sessions=ours, reviewers=[people["anna"], people["ben"]], each=2, by=people["olga"], now=now)
    for session in ours:
        given = {str(each.id): (2, "Said “we” throughout") for each in session.definition.criteria}
        scorecards.submit(session=session, scores=given, by=people["ben"], now=now)
    decide = {"session": first, "by": people["olga"], "now": now}
    before = decisions.decide(outcome="hold", reason="Wait for the others", after=None, **decide)
    decisions.decide(outcome="advance", reason="The clearest of all", after=before.pk, **decide)
    notes.write(session=first, text="@anna, what do you think?", is_shared=True, by=people["ben"], now=now)


def _draft(session) -> None:
    """What a language model suggests: a level for the first criterion, and none for the second."""
    row = DraftEvaluation.objects.create(
        session=session,
        status="done",
        model="small-and-quick",
        run_by="Example Models Ltd",
        said_key=suggestions.said_key(suggestions.records(session)),
        addressed=[["1", 0.5]],
        made_at=timezone.now(),
    )
    first, second = (each.id for each in session.definition.criteria)
    quotes = [{"number": "2", "text": "a small service that reads invoices", "start_s": 1.2}]
    why = "The candidate says what they built, and what it does."
    Suggestion.objects.create(draft=row, criterion=first, level=3, rationale=why, quotes=quotes)
    Suggestion.objects.create(draft=row, criterion=second, reason="unproven")


def _cookie(person) -> str:
    client = Client()
    client.force_login(person)
    return client.cookies["sessionid"].value


@pytest.fixture
def pages(team) -> Iterator:
    """A function that opens a page of the person with this cookie."""
    with sync_playwright() as playwright, chromium_browser(playwright) as browser:

        def open_page(cookie):
            context = fresh_page(browser)
            page = context.__enter__()
            opened.append(context)
            page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": team.url}])
            page.set_default_timeout(DEADLINE_MS)
            return page

        opened: list = []
        yield open_page
        for context in opened:
            context.__exit__(None, None, None)


def assert_accessible(page: Page, part: str) -> None:
    """In light and in dark, as far as the page is ours."""
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        wait_for_colours(page)
        found = Axe().run(page, context=part, options=RULES).response["violations"]
        assert not found, f"{part}, {scheme}: " + "; ".join(
            f"{v['id']}: {v['nodes'][0]['html']}" for v in found
        )


def test_reviewer_scores_by_keyboard_and_then_sees_others(team, pages):
    page = pages(team.anna)
    page.goto(team.address("session_change", team.ours[0].pk))
    evaluation = page.locator("#evaluation")
    expect(evaluation).not_to_contain_text("Said “we” throughout")
    expect(evaluation).not_to_contain_text("language model")
    first = evaluation.locator("[data-criterion]").first

    first.locator("input").first.focus()
    with page.expect_response("**/draft/"):
        page.keyboard.press("3")
    expect(first.locator("input[value='3']")).to_be_checked()
    with page.expect_response("**/draft/"):
        first.locator("textarea").fill("in 2019")
        first.locator("textarea").press("2")
    expect(first.locator("input[value='3']")).to_be_checked()
    page.reload()
    expect(first.locator("input[value='3']")).to_be_checked()
    expect(first.locator("textarea")).to_have_value("in 20192")

    first.locator("textarea").press("Control+Enter")
    expect(evaluation.get_by_role("alert")).to_contain_text("Explains clearly")
    evaluation.get_by_role("textbox", name="Note", exact=True).fill("half written")
    evaluation.locator("[data-criterion]").nth(1).locator("input").first.focus()
    page.keyboard.press("0")
    page.keyboard.press("Control+Enter")
    expect(evaluation.locator("[data-said]")).to_have_text("Submitted.")
    expect(evaluation.locator("[data-said]")).to_be_focused()
    expect(evaluation.get_by_role("textbox", name="Note", exact=True)).to_have_value("half written")
    expect(evaluation).to_contain_text("Said “we” throughout")
    expect(evaluation).to_contain_text("The clearest of all")
    suggestion = evaluation.get_by_test_id("suggestion")
    suggestion.get_by_role("link", name="a small service").click()
    expect(page.locator("[data-time]")).to_have_text("0:03")
    assert_accessible(page, "[data-testid=suggestion]")
    page.locator("[data-next]").click()
    expect(page.locator("#evaluation")).not_to_contain_text("Said “we” throughout")


def test_answers_are_listened_to_in_turn(team, pages):
    page = pages(team.anna)
    page.goto(team.address("session_compare") + "?" + "&".join(f"session={one.pk}" for one in team.ours))
    row = page.locator("[data-row]").first
    row.locator("[data-in-turn]").click()
    expect(row.locator("[data-cell]").nth(0)).to_have_class("ip-cell ip-playing")
    expect(row.locator("[data-cell]").nth(1)).to_have_class("ip-cell ip-playing", timeout=DEADLINE_MS)
    expect(row.locator("[data-cell]").nth(0)).to_have_class("ip-cell")
    row.focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("[data-row]").nth(1)).to_be_focused()


def test_pages_have_no_accessibility_violations(team, pages):
    page = pages(team.anna)
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(team.address("session_change", team.ours[0].pk))
    assert_accessible(page, "#evaluation")
    page.goto(team.address("session_queue"))
    assert_accessible(page, ".ip-queue")
    page.goto(team.address("session_compare") + "?" + "&".join(f"session={one.pk}" for one in team.ours))
    assert_accessible(page, ".ip-compare")
    page = pages(team.owner)
    page.goto(team.address("session_change", team.ours[0].pk))
    page.get_by_test_id("show-others").click()
    expect(page.locator(".ip-opinion")).to_be_visible()
    assert_accessible(page, "#evaluation")
    page.goto(team.address("interview_agreement", team.interview.pk))
    assert_accessible(page, ".ip-agreement")
