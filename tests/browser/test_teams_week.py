"""A hiring team's week in Chromium, from the first draft of an interview to the figures at its end.

A picture of each step lies in `week/` of the run's directory. It takes two minutes and each page has
a test of its own, so it belongs to `make proof`.
"""

import csv
import email
import io
import re
import secrets
from email.header import decode_header, make_header

import pytest
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from tests.browser.browsers import chromium_browser, fresh_page
from tests.browser.room import Room
from tests.faults.waiting import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.proof, pytest.mark.timeout(900)]

TITLE = "Workshop assistant"
QUESTIONS = ("What did you build last?", "What would you do otherwise today?")
CRITERION = "Explains clearly"
LEVELS = ("Names no example", "Names one", "Says what it was for", "Also says what went wrong")
SHEET = "\n".join(
    [
        "name,e-mail,deadline",
        "Ada First,ada@example.com,",
        "Bela Second,bela@example.com,",
        "Chris Third,chris@example.com,",
        *(f"Further {n},further{n}@example.com," for n in range(4)),
        "No Address,somewhere,",
        "Too Late,late@example.com,2020-01-31",
        "Ada Again,ADA@example.com,",
    ]
)
WRITTEN = "I built a shelf for narrow stairs, and measured it wrong at first."
CORRECTED = "Indeed"
SPEAK_S = 3.0
PATIENCE_MS = 120_000
SESSIONS = "/admin/interviews/session/"
SMALL = {"width": 360, "height": 740}
DONE = """
SELECT count(*) FROM voice_transcript t JOIN interviews_answer a ON a.recording_id = t.recording_id
JOIN voice_recording r ON r.id = a.recording_id
JOIN interviews_session s ON s.id = a.session_id
JOIN interviews_invitation i ON i.id = s.invitation_id
JOIN interviews_interview w ON w.id = i.interview_id
WHERE w.title = %s AND a.kind = 'question' AND t.status = 'done' AND r.status = 'stored'
"""


class Desk:
    """A member of staff at a browser."""

    def __init__(self, stack, page: Page, shots) -> None:
        self.stack, self.page, self.shots = stack, page, shots

    def sign_in(self, username: str, password: str) -> None:
        self.go("/admin/login/")
        self.page.fill("[name=username]", username)
        self.page.fill("[name=password]", password)
        self.page.click("[type=submit]")
        self.page.wait_for_url("**/admin/")

    def go(self, address: str) -> None:
        self.page.goto(self.stack.url + address)

    def picture(self, name: str) -> None:
        self.page.screenshot(path=self.next_picture(name))

    def next_picture(self, name: str) -> str:
        return str(self.shots / f"{len(list(self.shots.iterdir())):02}-{name}.png")

    def open_row(self, list_address: str, text: str) -> None:
        self.go(list_address)
        self.page.locator("#result_list").get_by_role("link", name=text, exact=True).first.click()
        self.page.wait_for_url(re.compile(r"/change/"))


@pytest.fixture(scope="module")
def shots(run_directory):
    folder = run_directory / "week"
    folder.mkdir()
    return folder


@pytest.fixture
def reviewer(speaking_stack):
    """A reviewer of the demo's organisation: name and password."""
    assert speaking_stack.demo, "makes the organisation"
    name, password = "week-reviewer", secrets.token_urlsafe(12)
    script = (
        "from accounts.models import Membership, Organisation, User\n"
        f"user = User.objects.create_user({name!r}, password={password!r}, is_staff=True)\n"
        "demo = Organisation.objects.get(slug='demo')\n"
        "Membership.objects.create(user=user, organisation=demo, role='reviewer')"
    )
    speaking_stack.manage("shell", "--no-imports", "-c", script)
    return name, password


@pytest.mark.usefixtures("piper_voices")
def test_team_hires_from_the_draft_to_the_figures(
    speaking_stack, chromium, playwright, shots, reviewer, tmp_path
):
    facts = speaking_stack.demo
    recruiter = (facts["recruiter_username"], facts["recruiter_password"])
    with fresh_page(chromium) as page:
        desk = Desk(speaking_stack, page, shots)
        desk.sign_in(*recruiter)
        interview = write_and_publish(desk)
        invite_from_a_spreadsheet(desk, interview, tmp_path)
        links = mailed_links(desk)
        arrange_writing(desk)

    spoken(desk, chromium, links["ada@example.com"], "ada")
    written(desk, playwright, links["bela@example.com"])
    spoken(desk, chromium, links["chris@example.com"], "chris", viewport=SMALL)
    wait_for(lambda: speaking_stack.rows(DONE, [TITLE]) == [(4,)], speaking_stack.last_lines, within_s=300)

    with fresh_page(chromium) as page:
        desk = Desk(speaking_stack, page, shots)
        desk.sign_in(*reviewer)
        score_and_correct(desk)
        compare(desk)
    with fresh_page(chromium, accept_downloads=True) as page:
        desk = Desk(speaking_stack, page, shots)
        desk.sign_in(*recruiter)
        decide(desk)
        take_away(desk, tmp_path)
        read_the_figures(desk, interview)


def write_and_publish(desk: Desk) -> str:
    """Return the interview's id."""
    page = desk.page
    desk.go("/admin/interviews/interview/add/")
    page.fill("[name=title]", TITLE)
    page.fill("[name=job_title]", TITLE)
    page.fill("[name=introduction]", "Two questions about what you have built.")
    page.locator("#questions-group .add-row").click()
    for number, question in enumerate(QUESTIONS):
        page.fill(f"[name=questions-{number}-text]", question)
    page.click("a[href='#criteria']")
    page.locator("#criteria-group .add-row").click()
    page.fill("[name=criteria-0-name]", CRITERION)
    for number, level in enumerate(LEVELS):
        page.fill(f"[name=criteria-0-levels_{number}]", level)
    desk.picture("rubric")
    page.click("[name=_continue]")
    page.wait_for_url(re.compile("/change/"))
    page.locator("a[href$='/publish/']").click()
    page.locator("#modal-content [type=submit]").click()
    expect(page.get_by_text("Published.", exact=True)).to_be_visible()
    desk.picture("published")
    return page.url.split("/")[-3]


def invite_from_a_spreadsheet(desk: Desk, interview: str, tmp_path) -> None:
    page, sheet = desk.page, tmp_path / "candidates.csv"
    sheet.write_text(SHEET)
    desk.go(f"/admin/interviews/invitationbatch/to/{interview}/")
    page.set_input_files("input[type=file]", sheet)
    page.click("[data-testid=check]")
    expect(page.get_by_role("heading", name="3 rows are not invited")).to_be_visible()
    expect(page.get_by_role("heading", name="7 candidates")).to_be_visible()
    desk.picture("spreadsheet")
    page.click("[data-testid=invite]")
    expect(page.get_by_text("7 of 7 invited")).to_be_visible(timeout=PATIENCE_MS)


def mailed_links(desk: Desk) -> dict[str, str]:
    """Return the links in the e-mails, by address; look at them in the log as well."""
    folder = desk.stack.directory / "mail"

    def found() -> dict[str, str]:
        mails = [email.message_from_bytes(path.read_bytes()) for path in folder.iterdir()]
        ours = [mail for mail in mails if TITLE in str(make_header(decode_header(mail["Subject"] or "")))]
        return {mail["To"]: re.search(r"http\S+/i/[^/]+/", plain(mail))[0] for mail in ours}

    wait_for(lambda: len(found()) == 7, desk.stack.last_lines)
    desk.go("/admin/interviews/message/")
    expect(desk.page.locator("#result_list")).to_contain_text("Ada First")
    desk.picture("e-mails")
    links = found()
    desk.stack.secrets |= {link.split("/")[-2] for link in links.values()}
    return links


def plain(mail) -> str:
    """The text of an e-mail."""
    parts = [part for part in mail.walk() if part.get_content_type() == "text/plain"]
    return parts[0].get_payload(decode=True).decode()


def arrange_writing(desk: Desk) -> None:
    page = desk.page
    desk.open_row("/admin/interviews/invitation/?q=bela", "Bela Second")
    page.goto(page.url.split("/change/")[0] + "/accommodations/")
    page.select_option("[name=extra_percent]", "50")
    page.check("[name=is_written]", force=True)
    page.fill("[name=reason]", "agreed by telephone")
    page.click("[data-testid=give]")
    expect(page.locator("[data-testid=given]").first).to_contain_text("50 % more time")
    desk.picture("accommodation")


def spoken(desk: Desk, chromium, link: str, name: str, **options) -> None:
    with fresh_page(chromium, permissions=["microphone"], **options) as page:
        room = Room(page)
        room.to_first_question(link)
        for _question in QUESTIONS:
            room.begin_answer()
            room.speak(SPEAK_S)
            page.screenshot(path=desk.next_picture(f"{name}-speaks"))
            room.finish_answer()
        room.wait_for("finish")
        page.screenshot(path=desk.next_picture(f"{name}-has-finished"))


def written(desk: Desk, playwright, link: str) -> None:
    with chromium_browser(playwright) as browser, fresh_page(browser) as page:
        room = Room(page)
        page.goto(link)
        expect(page.get_by_test_id("arranged")).to_contain_text("You have 50 % more time")
        page.screenshot(path=desk.next_picture("bela-is-told"))
        page.click("input[type=checkbox]")
        page.click("form button")
        room.wait_for("ready")
        room.start()
        for _question in QUESTIONS:
            room.wait_for("write")
            position = room.shown("position")
            page.fill("[data-testid=text]", WRITTEN)
            page.screenshot(path=desk.next_picture("bela-writes"))
            room.press("send-text")
            page.wait_for_function(
                "before => document.querySelector('#stage [data-part=position]')?.textContent !== before",
                arg=position,
            )
        room.wait_for("finish")


def score_and_correct(desk: Desk) -> None:
    """Score Ada blind and by keyboard, and correct a word of hers."""
    page = desk.page
    desk.open_row(f"{SESSIONS}?q={TITLE}", "Ada First")
    expect(page.get_by_text("You see it when you have submitted your score.")).to_be_visible()
    page.locator("[data-answer='1'] .ip-word").first.click()
    page.get_by_role("button", name="Correct the word").first.click()
    page.get_by_label("What was said").fill(CORRECTED)
    page.get_by_label("What was said").press("Enter")
    expect(page.locator("[data-answer='1'] .ip-corrected")).to_have_text(CORRECTED)
    page.locator("[data-criterion] input[type=radio]").first.focus()
    page.keyboard.press("3")
    desk.picture("blind-score")
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-said]", has_text="Submitted.")).to_be_visible()
    desk.picture("scored")


def compare(desk: Desk) -> None:
    page = desk.page
    desk.go(f"{SESSIONS}?q={TITLE}")
    rows = page.locator("#result_list tbody")
    expect(rows).to_have_count(3)
    ids = [box.get_attribute("value") for box in page.locator("[name=_selected_action]").all()]
    desk.go(f"{SESSIONS}compare/?" + "&".join(f"session={row}" for row in ids))
    expect(page.get_by_text(WRITTEN)).to_have_count(2)
    expect(page.locator("audio")).to_have_count(4)
    desk.picture("compared")


def decide(desk: Desk) -> None:
    page = desk.page
    desk.open_row(f"{SESSIONS}?q={TITLE}", "Ada First")
    page.check("[name=outcome][value=advance]")
    page.locator("[name=reason]").last.fill("Says what went wrong, too.")
    page.click("[data-testid=decide]")
    expect(page.locator(".ip-decided")).to_contain_text("Advance")
    desk.picture("decided")


def take_away(desk: Desk, tmp_path) -> None:
    """Export Ada as PDF and all three as CSV, and read both back."""
    page = desk.page
    with page.expect_download() as download:
        page.get_by_role("link", name="PDF").click()
    pages = PdfReader(io.BytesIO(download.value.path().read_bytes())).pages
    text = " ".join(" ".join(each.extract_text() for each in pages).split())
    for said in ("Ada First", *QUESTIONS, TITLE):
        assert said in text

    desk.go(f"{SESSIONS}?q={TITLE}")
    page.check("#action-toggle", force=True)
    page.select_option("select[name=action]", "export_csv", force=True)
    with page.expect_download() as download:
        page.locator("button[name=index]").click(force=True)
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text(encoding="utf-8-sig"))))
    assert sorted(row["candidate"] for row in rows) == ["Ada First", "Bela Second", "Chris Third"]


def read_the_figures(desk: Desk, interview: str) -> None:
    page = desk.page
    desk.go(f"/admin/analytics/?interview={interview}")
    funnel = page.get_by_role("region", name="Funnel").locator("tbody tr")
    counted = {row.locator("th").inner_text(): row.locator("td").first.inner_text() for row in funnel.all()}
    assert counted["Invited"] == "7"
    assert counted["Finished"] == "3"
    desk.picture("figures")
    page.get_by_role("region", name="Funnel").get_by_role("link", name="3").last.click()
    for name in ("Ada First", "Bela Second", "Chris Third"):
        expect(page.get_by_role("link", name=name)).to_be_visible()
