"""`docker compose up` from nothing: interviews are held on it, and survive what an operator does to it."""

import time

import httpx
import pytest

from tests.benchmarks.load.take import Take
from tests.deploy.docker.composed import Bucket, Composed
from tests.faults.crowd import Crowd
from voice.audio import decoding

PASSWORD = "a long and unusual phrase"
SPOKEN_S = 5
"""Of the long answers, so that there is something to lose."""

pytestmark = [pytest.mark.proof, pytest.mark.timeout(1500)]


def test_interview_by_script_ends_and_recordings_are_equal(composed: Composed):
    with Crowd(composed, count=2) as crowd:
        crowd.speak_on(SPOKEN_S)
        crowd.finish()

    assert_nothing_lost(crowd, composed)
    for take in crowd.takes:
        assert decoding.decode_flac(recording_over_the_api(take, composed))[0] == take.pcm[: take.byte_count]


@pytest.mark.parametrize("ending", [("stop",), ("down",)], ids=lambda words: words[0])
def test_system_that_ends_in_mid_answer_comes_back_and_loses_nothing(composed: Composed, ending):
    with Crowd(composed, count=1) as crowd:  # who speaks on: nothing is asked of a site that is away
        crowd.speak_on(SPOKEN_S)
        composed.compose(*ending)
        composed.up()
        crowd.wait_recovered(since=time.monotonic())
        crowd.finish()

    assert "came back by themselves" in crowd.seen
    assert_nothing_lost(crowd, composed)


def test_first_owner_signs_in(composed: Composed):
    [link] = composed.follow("The first owner")

    with httpx.Client(headers={"Referer": composed.url}) as browser:
        page = browser.get(link.strip())
        account = {"first_name": "Ada", "last_name": "Lovelace", "password1": PASSWORD, "password2": PASSWORD}
        joined = browser.post(
            link.strip(), data=account | {"csrfmiddlewaretoken": browser.cookies["csrftoken"]}
        )
        admin = browser.get(f"{composed.url}/admin/")

    assert (page.status_code, joined.headers["Location"]) == (200, "/admin/")
    assert admin.status_code == 200
    memberships = "SELECT o.name, m.role FROM accounts_membership m JOIN accounts_organisation o"
    whose = "ON o.id = m.organisation_id JOIN accounts_user u ON u.id = m.user_id WHERE u.username = %s"
    assert composed.rows(f"{memberships} {whose}", ["ada@example.com"]) == [("Example Ltd", "owner")]


def test_nginx_reads_a_new_certificate(composed: Composed):
    composed.follow("TLS")

    assert httpx.get(f"{composed.url}/i/none/").status_code == 404


def recording_over_the_api(take: Take, composed: Composed) -> bytes:
    """Return the file of the address that the API tells, as a reviewer's browser fetches it."""
    key = {"Authorization": f"Bearer {composed.demo['api_key']}"}
    told = httpx.get(f"{composed.url}/api/v1/answers/{take.answer_id}/recording", headers=key)
    return httpx.get(told.json()["url"]).content


def assert_nothing_lost(crowd: Crowd, composed: Composed) -> None:
    files = Bucket(composed)
    assert len(crowd.takes) == 3 * crowd.count
    assert crowd.losses(files) == []
    assert crowd.duplicates(files) == []
    assert crowd.stuck() == []
    print(crowd.seen)
