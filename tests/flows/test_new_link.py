"""A candidate asks for a new link, a worker mails it, and neither queue nor log has it."""

import re

import httpx
import pytest

from tests.candidate import consent
from tests.faults.waiting import wait_for

pytestmark = pytest.mark.flows

LONG_AGO = """
WITH finished AS (
    UPDATE interviews_session SET status = 'finished', finished_at = now() - interval '400 days'
    WHERE invitation_id = %s RETURNING invitation_id
)
UPDATE interviews_invitation SET status = 'finished' FROM finished WHERE id = invitation_id RETURNING id
"""


async def test_new_link_comes_by_mail_and_opens_the_room(stack):
    link = stack.invite(candidate_email="alex@example.com")
    await consent(link)
    assert stack.rows(LONG_AGO, [stack.invitation_of(link)["id"]])
    mails = stack.directory / "mail"
    async with httpx.AsyncClient(follow_redirects=True, timeout=120) as client:
        page = await client.get(f"{link}room/")
        assert page.status_code == 410
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)[1]
        form = {"csrfmiddlewaretoken": token}
        after = await client.post(f"{link}new-link/", data=form, headers={"Referer": link})
        assert "is on its way" in after.text
        wait_for(lambda: links_in(mails), lambda: f"a mail\n{stack.last_lines()}")
        [new_link] = links_in(mails)
        opened = await client.get(new_link)
    assert (opened.status_code, opened.url.path.endswith("/room/")) == (200, True)
    assert new_link.split("/")[-2] not in stack.log.read_text()
    assert oct(mails.stat().st_mode)[-3:] == "700"


def links_in(mails) -> list[str]:
    return [link for mail in mails.iterdir() for link in re.findall(r"\S+/i/\S+/", mail.read_text())]
