"""Lists in pages by cursor: complete and without doubles while rows come and go."""

from itertools import chain

import pytest
from django.utils import timezone

from interviews.models import Interview
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def rows(interview):
    """Seven interviews, five of them made in the same microsecond."""
    others = factories.InterviewFactory.create_batch(6, organisation=interview.organisation)
    Interview.objects.filter(pk__in=[each.pk for each in others[:5]]).update(created_at=timezone.now())
    return interview.organisation


@pytest.fixture
def get(client, rows):
    key = factories.ApiKeyFactory(organisation=rows)

    def call(path="/interviews", **params):
        answer = client.get(f"/api/v1{path}", params, headers={"Authorization": f"Bearer {key.plain}"})
        return answer.status_code, answer.json()

    return call


def pages(get, between=lambda: None, **params):
    cursor, ids = "", []
    while cursor is not None:
        status, page = get(cursor=cursor, **params)
        assert status == 200
        ids.append([item["id"] for item in page["items"]])
        cursor = page["next"]
        between()
    return ids


def ids_of(*columns):
    return [str(pk) for pk in Interview.objects.order_by(*columns).values_list("pk", flat=True)]


@pytest.mark.parametrize(
    ("order", "columns"), [("newest", ("-created_at", "-pk")), ("oldest", ("created_at", "pk"))]
)
@pytest.mark.parametrize("limit", [2, 3, 7])
def test_pages_are_complete_and_in_order(get, order, columns, limit):
    found = pages(get, order=order, limit=limit)
    assert list(chain.from_iterable(found)) == ids_of(*columns)
    assert [len(page) for page in found] == [limit] * (7 // limit) + ([7 % limit] if 7 % limit else [])


def test_rows_that_come_meanwhile_move_nothing(get, rows):
    before = ids_of("-created_at", "-pk")
    found = pages(get, lambda: factories.InterviewFactory(organisation=rows), limit=2)
    assert list(chain.from_iterable(found)) == before


def test_row_that_the_cursor_names_may_go(get):
    _status, page = get(limit=2)
    left = [each for each in ids_of("-created_at", "-pk") if each not in [i["id"] for i in page["items"]]]
    Interview.objects.filter(pk=page["items"][-1]["id"]).delete()
    assert [i["id"] for i in get(limit=10, cursor=page["next"])[1]["items"]] == left


@pytest.mark.parametrize("cursor", ["x", "%%%", "W10", "e30", "AAAA", "ÄÖ"])
def test_cursor_that_is_none_is_a_bad_value(get, cursor):
    status, problem = get(cursor=cursor)
    assert (status, problem["code"], problem["field"]) == (422, "bad_value", "cursor")


def test_cursor_of_another_list_or_order_is_a_bad_value(get):
    cursor = get(limit=1)[1]["next"]
    assert get(cursor=cursor, order="oldest")[0] == 422
    assert get("/invitations", cursor=cursor)[0] == 422


@pytest.mark.parametrize("params", [{"limit": 101}, {"limit": 0}, {"limit": "x"}, {"order": "random"}])
def test_page_out_of_bounds_is_a_bad_value(get, params):
    status, problem = get(**params)
    assert (status, problem["code"], problem["field"]) == (422, "bad_value", next(iter(params)))


def test_page_costs_two_statements_whatever_its_length(get, django_assert_max_num_queries):
    get()  # the key's use is noted
    for limit in (1, 7):
        with django_assert_max_num_queries(2):  # the key, the page
            get(limit=limit)
