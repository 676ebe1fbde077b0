"""A recruiter pastes a job description in Chromium, waits for the draft, and opens it."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from playwright.sync_api import expect, sync_playwright

from accounts.models import Membership
from interviews.actions import interview_drafts
from interviews.models import JobDescription
from tests import factories
from tests.browser.browsers import chromium_browser, fresh_page
from tests.browser.test_evaluation import DEADLINE_MS, assert_accessible
from tests.interviews.brain.test_interview_draft import DESCRIPTIONS
from tests.interviews.conftest import closed_clients, language_model  # noqa: F401

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("clean_redis"),
]


@pytest.fixture
def recruiter(language_model, live_server):  # noqa: F811
    """The cookie of a recruiter whose organisation uses the model."""
    organisation = factories.OrganisationFactory(is_language_model_used=True)
    member = factories.MembershipFactory(organisation=organisation, role=Membership.Role.RECRUITER)
    client = Client()
    client.force_login(member.user)
    return {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}


def draft_what_waits() -> None:
    """Do what a worker does, in a thread: the browser's event loop forbids to ask the database."""

    def work() -> None:
        try:
            interview_drafts.draft(description_id=JobDescription.objects.get(status="waiting").pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as worker:
        worker.submit(work).result()


def test_recruiter_comes_from_a_job_description_to_a_draft(recruiter, language_model):  # noqa: F811
    language_model.temper = "prying"
    with sync_playwright() as playwright, chromium_browser(playwright) as browser:
        with fresh_page(browser, viewport={"width": 360, "height": 740}) as page:
            page.set_default_timeout(DEADLINE_MS)
            page.context.add_cookies([recruiter])
            page.goto(recruiter["url"] + reverse("admin:interviews_interview_add"))
            page.get_by_role("link", name="Draft from a job description").click()
            assert_accessible(page, ".ip-upload")
            page.get_by_label("Job description").fill(DESCRIPTIONS["en"])
            page.get_by_test_id("draft").click()
            expect(page.get_by_test_id("cancel")).to_be_visible()
            assert_accessible(page, ".ip-exchange")

            draft_what_waits()

            expect(page.locator("#progress")).to_contain_text("touches on age")
            assert_accessible(page, ".ip-exchange")
            assert page.evaluate("document.documentElement.scrollWidth") <= 360
            page.get_by_role("link", name="Edit the draft").click()
            expect(page.locator("[name=questions-0-text]")).not_to_be_empty()
