"""What lists and reads of the API cost against a bare Django Ninja view with the same rows, in one run.

The bare view has neither key, limits, cursor, sparse fields nor ETag. Both pass through the same middleware.
"""

import time
import timeit

import pytest
from django.test import Client
from django.urls import include, path
from ninja import NinjaAPI

from interview_platform import urls as urls_of_platform
from interviews.api.schemas.interviews import InterviewDetailOut
from interviews.api.schemas.invitations import InvitationProgressOut
from interviews.models import Interview, Invitation
from interviews.queries import progress
from tests import factories

pytestmark = [pytest.mark.benchmarks, pytest.mark.django_db]

ROWS, TIMES, ROUNDS = 200, 20, 4
bare = NinjaAPI(urls_namespace="bare", docs_url=None)


@bare.get("/invitations", response=list[InvitationProgressOut])
def invitations(request):
    rows = progress.of_invitations(Invitation.objects.filter(tried=None, set_aside_of=None))
    return rows.select_related("session").order_by("-created_at")[:50]


@bare.get("/interviews/{uuid:interview_id}", response=InterviewDetailOut)
def interview(request, interview_id):
    from django.db.models import Count

    rows = Interview.objects.annotate(question_count=Count("questions")).select_related("published")
    parts = ("questions", "criteria__questions", "criteria__interview__questions")
    return rows.prefetch_related(*parts).get(pk=interview_id)


urlpatterns = [path("bare/", bare.urls), path("", include(urls_of_platform))]


def seconds(client, address):
    def ask():
        assert client.get(address).status_code == 200

    ask()
    return min(timeit.repeat(ask, timer=time.perf_counter, number=TIMES, repeat=ROUNDS)) / TIMES


@pytest.mark.urls(__name__)
def test_lists_and_reads_against_a_bare_view(figure, clean_redis, settings):
    settings.VOICE = settings.VOICE | {"REQUESTS_PER_MINUTE": 10**6}
    one = factories.InterviewFactory(questions=5)
    factories.InvitationFactory.create_batch(ROWS, interview=one)
    key = factories.ApiKeyFactory(organisation=one.organisation)
    client = Client(headers={"Authorization": f"Bearer {key.plain}"})
    for name, address in [("list of 50", "/invitations"), ("read one", f"/interviews/{one.pk}")]:
        plain = seconds(client, f"/bare{address}")
        ours = seconds(client, f"/api/v1{address}")
        figure(f"{name}: a bare view", plain * 1000, "ms")
        figure(f"{name}: the API", ours * 1000, "ms")
        figure(f"{name}: ratio", plain / ours, "", "0.5 or more")
