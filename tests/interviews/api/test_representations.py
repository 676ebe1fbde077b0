"""What is read of a row: sparse fields, ETags, and problems as RFC 9457 has them."""

import pytest

from interviews.models import Interview
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def get(client, interview):
    key = factories.ApiKeyFactory(organisation=interview.organisation)

    def call(path, params=None, **headers):
        return client.get(
            f"/api/v1{path}", params or {}, headers={"Authorization": f"Bearer {key.plain}"} | headers
        )

    return call


def test_fields_leave_the_others_out(get, interview):
    one = get(f"/interviews/{interview.pk}", {"fields": "id,title"}).json()
    many = get("/interviews", {"fields": "title"}).json()
    assert one == {"id": str(interview.pk), "title": interview.title}
    assert many == {"items": [{"title": interview.title}], "next": None}


@pytest.mark.parametrize("path", ["/interviews", "/invitations"])  # with a row, and without
def test_unknown_field_is_a_bad_value(get, path):
    problem = get(path, {"fields": "id,secret"}).json()
    assert (problem["status"], problem["field"]) == (422, "fields")
    assert "secret" in problem["detail"]
    assert "created_at" in problem["detail"]


def test_row_that_has_not_changed_is_not_sent_again(get, interview):
    path = f"/interviews/{interview.pk}"
    tag = get(path)["ETag"]
    for known in (tag, f'"other", W/{tag}', "*"):
        again = get(path, **{"If-None-Match": known})
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", tag)
    Interview.objects.update(title="Another")
    changed = get(path, **{"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed["ETag"] != tag


def test_etag_is_of_the_row_whichever_fields_are_read(get, interview):
    path = f"/interviews/{interview.pk}"
    assert get(path, {"fields": "id"})["ETag"] == get(path)["ETag"]


def test_problem_says_kind_place_and_request(get):
    answer = get("/interviews", {"limit": 0})
    problem = answer.json()
    assert answer["Content-Type"] == "application/problem+json"
    assert (problem["type"], problem["title"], problem["status"]) == (
        "/api/problems/bad_value",
        "Bad value",
        422,
    )
    assert problem["errors"] == [{"field": "limit", "detail": problem["errors"][0]["detail"]}]


def test_problem_points_into_the_body(client, interview):
    key = factories.ApiKeyFactory(organisation=interview.organisation)
    answer = client.post(
        f"/api/v1/interviews/{interview.pk}/invitations",
        {"candidate_name": 7, "candidate_email": "x"},
        content_type="application/json",
        headers={"Authorization": f"Bearer {key.plain}"},
    )
    assert [each["pointer"] for each in answer.json()["errors"]] == ["#/candidate_name", "#/candidate_email"]


def test_type_of_a_problem_is_an_address_that_explains_it(client):
    assert b"`errors` names each" in client.get("/api/problems/bad_value").content
    assert client.get("/api/problems/nothing").status_code == 404
