"""Lists, the review page and search with 2,000 interviews, 100,000 sessions and 1,000,000 answers.

Durations are printed: they are the figures of docs/performance.md. What is asserted is the number of
statements, and what is found.
"""

import time
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Membership
from interviews.models import Answer, Interview, Invitation, Session
from tests import factories
from tests.proof import scale
from tests.proof.scale import ANSWERS, Filled, Size

LARGE = Size(interviews=2_000, sessions=100_000)
REQUESTS = 30
LISTS = ("interview", "invitation", "session", "message", "erasure", "invitationbatch", "mailtemplate")
FREQUENT, RARE = 0.01, 0.0001
pytestmark = [pytest.mark.proof, pytest.mark.django_db, pytest.mark.timeout(1500)]


@pytest.fixture(scope="module")
def filled(django_db_setup, django_db_blocker) -> Iterator[Filled]:
    with django_db_blocker.unblock():
        yield scale.fill(LARGE)
        scale.empty()


@pytest.fixture
def client(filled) -> Client:
    """A recruiter of the largest organisation, which has half of all rows."""
    client = Client()
    client.force_login(
        factories.MembershipFactory(organisation=filled.organisations[0], role=Membership.Role.OWNER).user
    )
    return client


def addresses(filled: Filled) -> dict[str, str]:
    """Every list and page, by a name for the table."""
    own = {"invitation__interview__organisation": filled.organisations[0]}
    session = Session.objects.filter(**own).first()
    lists = {name: reverse(f"admin:interviews_{name}_changelist") for name in LISTS}
    sessions = lists["session"]
    return {
        **lists,
        "sessions, finished": f"{sessions}?status__exact=finished",
        "sessions of an interview": f"{sessions}?invitation__interview__id__exact={session.interview.pk}",
        "sessions, searched": f"{sessions}?q=candidate+99",
        "sessions, page 200": f"{sessions}?p=200",
        "home": reverse("admin:index"),
        "under way": reverse("watching"),
        "review": reverse("admin:interviews_session_change", args=[session.pk]),
        "candidates": reverse("candidates"),
        "a candidate": reverse("candidate", args=[session.invitation_id]),
        **{
            f"search, {share:.2%} of the answers": search(filled.word_in(share))
            for share in (0.3, FREQUENT, RARE)
        },
    }


def search(word: str) -> str:
    return f"{reverse('search')}?{urlencode({'q': word})}"


def measured(client: Client, address: str) -> tuple[int, list[float]]:
    """Return the number of statements, and the durations of `REQUESTS` requests in ms, in order."""
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    count, durations = len(captured), []
    for _ in range(REQUESTS):
        begun = time.perf_counter()
        client.get(address)
        durations.append(1000 * (time.perf_counter() - begun))
    return count, sorted(durations)


def test_lists_and_pages(filled, client):
    print(f"\n{'page':36} {'statements':>10} {'median':>8} {'p95':>8}")
    counts = {}
    for name, address in addresses(filled).items():
        counts[name], durations = measured(client, address)
        median, p95 = durations[REQUESTS // 2], durations[round(0.95 * REQUESTS) - 1]
        print(f"{name:36} {counts[name]:10} {median:5.0f} ms {p95:5.0f} ms", flush=True)
    assert max(counts.values()) <= 20


def test_search_finds_the_newest_of_the_own_organisation(filled, client):
    for share in (FREQUENT, RARE):
        word = filled.word_in(share)
        found = client.get(search(word)).context["found"]
        own = Answer.objects.filter(
            session__invitation__interview__organisation=filled.organisations[0],
            recording__transcript__text__regex=rf"\y{word}\y",
        )
        times = list(own.order_by("-completed_at").values_list("completed_at", flat=True)[:50])
        assert [hit.answer.completed_at for hit in found.hits] == times


def test_all_rows_are_there(filled):
    models = (Interview, Invitation, Session, Answer)
    counts = [model.objects.count() - 1 for model in models]  # the row of which they are copies
    assert counts == [LARGE.interviews, LARGE.sessions, LARGE.sessions, LARGE.sessions * ANSWERS]
