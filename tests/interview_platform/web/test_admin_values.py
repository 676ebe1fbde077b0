"""Every list of the admin, with filters, searches and pages that make no sense: never an error of ours."""

import random

import pytest
from django.contrib import admin
from django.db import models, transaction
from django.urls import reverse

from tests import factories
from tests.sizes import sizes

pytestmark = pytest.mark.django_db

LOOKUPS = (
    "", "exact", "iexact", "in", "gt", "range", "isnull", "regex", "iregex", "contains", "startswith", "year",
    "date", "week_day", "hour", "has_key", "pk", "length", "no_such",
)  # fmt: skip
VALUES = (
    "", "0", "-1", "99999999999", "9" * 400, "9" * 5000, "1e999", "nan", "\0", "a\0b", "(a", "[", "a{99999}",
    "*", "\\", "%", "\U0001f600", "x" * 3000, "None", "true", "2026-02-30", "0000-00-00", "99999-01-01",
    "1,2,\0", "00000000-0000-0000-0000-000000000000", "[1]", "{}", "\u0663", "é",
)  # fmt: skip
LISTS = [row for row in admin.site._registry if not row._meta.app_label.startswith("django")]
EXTRA = ("q", "p", "o", "all", "e", "_facets", "_popup", "_to_field", "_changelist_filters", "next")


@pytest.fixture
def root(client):
    client.force_login(factories.UserFactory(is_superuser=True))
    client.raise_request_exception = False
    session = factories.SessionFactory()
    factories.AnswerFactory(session=session, position=1, accepted=True)
    factories.ApiKeyFactory(organisation=session.invitation.interview.organisation)
    factories.MembershipFactory()
    return client


def names(model: type[models.Model]) -> list[str]:
    """Return fields of a list's rows, and of rows that these belong to."""
    own = [field.name for field in model._meta.get_fields() if not field.auto_created]
    related = [
        f"{field.name}__{further.name}"
        for field in model._meta.get_fields()
        if isinstance(field, models.ForeignKey)
        for further in field.remote_field.model._meta.concrete_fields
    ]
    return own + related


def ask(client, model: type[models.Model], query: dict[str, str]) -> int:
    app, name = model._meta.app_label, model._meta.model_name
    before = transaction.savepoint()
    try:
        return client.get(reverse(f"admin:{app}_{name}_changelist"), query).status_code
    finally:
        transaction.savepoint_rollback(before)  # outside tests there is no transaction to be broken


@sizes("count", short=10, proof=3000)
@pytest.mark.parametrize("model", LISTS, ids=lambda model: model.__name__)
def test_no_filter_of_any_list_is_an_error_of_ours(root, model, count):
    chance = random.Random(model.__name__)
    failed = []
    for _ in range(count):
        lookup = chance.choice(LOOKUPS)
        name = chance.choice(names(model)) + (f"__{lookup}" if lookup else "")
        query = {chance.choice([name, name, *EXTRA]): chance.choice(VALUES)}
        if (status := ask(root, model, query)) >= 500:
            failed.append((query, status))

    assert failed == []


@pytest.mark.parametrize("lookup", LOOKUPS)
def test_reported_values_are_refused(root, lookup):
    from interviews.models import Interview

    for name in ("title", "created_at", "id", "organisation"):
        for value in ("\0", "(a", "99999999999", "9" * 5000):
            assert ask(root, Interview, {f"{name}__{lookup}" if lookup else name: value}) < 500


@pytest.mark.parametrize(
    "address",
    [
        "/admin/r/1/1/",
        "/admin/r/7/00000000-0000-0000-0000-000000000000/",
        "/admin/r/%00/%00/",
        "/admin/interviews/interview/%00/change/",
        "/admin/interviews/session/1/change/",
        f"/admin/accounts/user/{'9' * 5000}/change/",
        "/admin/accounts/user/%00/change/",
        "/admin/accounts/user/-1/history/",
        "/admin/accounts/user/_5C_00/change/",
        "/admin/autocomplete/?term=%00&app_label=accounts&model_name=membership&field_name=user",
        "/admin/search/?s=%00",
        "/admin/search/?s=a&page=99999999999999999999",
        "/admin/%00/",
        "/i/%00/",
        "/recordings/%00",
        "/playground/transcript.srt",
        "/django-rq/queues/99/jobs/",
        "/django-rq/queues/0/%00/",
        "/admin/interviews/interview/?p=999999999999999999999",
        "/admin/interviews/interview/add/?organisation=%00&title=%00",
        "/admin/interviews/invitation/add/?interview=(a",
        "/api/v1/interviews?limit=999999999999999999999",
        "/%00",
    ],
    ids=lambda address: address[:60],
)
def test_no_address_of_ours_fails(root, clean_redis, address):
    assert root.get(address).status_code < 500


@pytest.mark.parametrize("address", ["/api/v1/interviews?x=%00", "/v1/models?x=%00", "/stats?%00"])
def test_value_that_cannot_be_is_refused_in_json_by_the_apis(client, clean_redis, address):
    response = client.get(address)
    assert (response.status_code, response["Content-Type"]) in [
        (422, "application/problem+json"),
        (400, "application/json"),  # OpenAI's form
    ]


def test_search_of_the_admin_finds_pages_again_and_again(root, clean_redis):
    for _ in range(2):
        assert "Invitations" in root.get("/admin/search/?s=invitation").content.decode()


def test_value_that_the_database_refuses_is_the_callers_mistake(root, client, clean_redis):
    interview = factories.InterviewFactory()
    key = factories.ApiKeyFactory(organisation=interview.organisation)
    response = client.post(
        f"/api/v1/interviews/{interview.pk}/invitations",
        {"candidate_name": "a\0b"},
        content_type="application/json",
        headers={"Authorization": f"Bearer {key.plain}"},
    )

    assert (response.status_code, response.json()["code"]) == (422, "bad_value")
