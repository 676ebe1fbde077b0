"""The Content-Security-Policy in Chromium. The `page` of every browser test fails on what it forbids."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

PAGES = [
    "/admin/",
    "/admin/speech-engines/",
    "/admin/interviews/interview/",
    "/admin/interviews/invitation/add/",
    "/admin/interviews/session/",
    "/admin/accounts/user/add/",
    "/django-rq/",
    "/api/docs",
    "/playground",
]
ROW = re.compile(r"/admin/\w+/\w+/[0-9a-f-]+/change/")


def test_no_page_of_staff_does_what_its_policy_forbids(stack, page):
    facts = stack.demo
    page.goto(f"{stack.url}/admin/login/")
    page.fill("[name=username]", facts["username"])
    page.fill("[name=password]", facts["password"])
    page.click("[type=submit]")
    expect(page).to_have_url(f"{stack.url}/admin/")
    for address in PAGES:
        page.goto(stack.url + address)
        rows = set(ROW.findall(page.content()))
        page.wait_for_load_state()
        if rows and address.startswith("/admin/") and address.count("/") == 4:
            page.goto(stack.url + min(rows))
            page.wait_for_load_state()


def test_script_that_was_written_into_a_page_does_not_run(stack, chromium):
    page = chromium.new_context().new_page()
    forbidden: list[str] = []
    page.on("console", lambda said: forbidden.append(said.text))
    page.goto(stack.invite())
    page.evaluate("""() => {
      document.body.insertAdjacentHTML("beforeend", "<img src=x onerror='window.ran = 1'>");
      const script = document.createElement("script");
      script.textContent = "window.ran = 2";
      document.body.append(script);
    }""")
    page.wait_for_function("() => document.querySelector('img[src=x]').complete")

    assert page.evaluate("window.ran") is None
    assert sum("Security Policy" in said for said in forbidden) >= 2
    page.context.close()
