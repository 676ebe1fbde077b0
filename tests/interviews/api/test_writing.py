"""Interviews and the question bank, written over the API by a program that never opens the admin."""

import pytest

from accounts.models import ApiKey
from interviews.models import BankQuestion, Interview
from interviews.texts.languages import LANGUAGES
from tests import factories

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]
DRAFT = {
    "title": "Engineer",
    "consent_text": "We record you.",
    "deadline": "2033-05-01T10:00:00Z",
    "questions": [
        {"text": "Why you?", "think_seconds": 20, "scripted_follow_ups": ["Really?"]},
        {"text": "Why us?", "retakes": 1},
    ],
    "rubric": [{"name": "Clarity", "levels": ["none", "some", "full"], "questions": [2]}],
}
SCOPES = [ApiKey.Scope.INTERVIEWS_READ, ApiKey.Scope.INTERVIEWS_WRITE, ApiKey.Scope.INVITATIONS_WRITE]


@pytest.fixture
def key(db):
    return factories.ApiKeyFactory(scopes=SCOPES)


@pytest.fixture
def call(client, key):
    def call(method, path, body=None, **headers):
        headers = {"Authorization": f"Bearer {key.plain}"} | headers
        options = {} if method == "get" else {"content_type": "application/json"}
        return getattr(client, method)(f"/api/v1{path}", body, headers=headers, **options)

    return call


@pytest.fixture
def draft(call):
    answer = call("post", "/interviews", DRAFT)
    assert answer.status_code == 201, answer.content
    return answer.json()


def change(call, draft, body):
    path = f"/interviews/{draft['id']}"
    return call("patch", path, body, **{"If-Match": call("get", path)["ETag"]})


def test_interview_is_written_published_and_invited_to(call, draft):
    assert (draft["status"], draft["question_count"], draft["published_version"]) == ("draft", 2, None)
    assert [each["questions"] for each in draft["rubric"]] == [[2]]
    assert draft["questions"][0]["scripted_follow_ups"] == ["Really?"]
    assert call("get", f"/interviews/{draft['id']}").json() == draft
    published = call("post", f"/interviews/{draft['id']}/publish").json()
    assert (published["status"], published["published_version"]) == ("published", 1)
    invited = call("post", f"/interviews/{draft['id']}/invitations", {"candidate_name": "Ada"})
    assert invited.status_code == 201


def test_change_keeps_what_is_not_sent(call, draft):
    first, second = draft["questions"]
    given = [{"id": second["id"], "text": "Why us, really?"}, {"text": "And now?"}]
    changed = change(call, draft, {"questions": given}).json()
    assert [each["text"] for each in changed["questions"]] == ["Why us, really?", "And now?"]
    assert changed["questions"][0]["id"] == second["id"] != first["id"]
    assert changed["questions"][0]["retakes"] == 1
    assert changed["rubric"][0]["questions"] == [1]
    assert (changed["title"], changed["consent_text"]) == ("Engineer", "We record you.")


def test_criterion_that_keeps_its_name_stays_the_same_row(call, draft):
    interview = Interview.objects.get()
    before = interview.criteria.get().pk
    rubric = [{"name": "Depth", "levels": ["a", "b"]}, {"name": "Clarity", "levels": ["x", "y"]}]
    changed = change(call, draft, {"rubric": rubric}).json()
    assert [(each["name"], each["questions"]) for each in changed["rubric"]] == [
        ("Depth", []),
        ("Clarity", []),
    ]
    assert interview.criteria.get(name="Clarity").pk == before


def test_change_needs_what_was_read(call, draft):
    path = f"/interviews/{draft['id']}"
    tag = call("get", path)["ETag"]
    assert call("patch", path, {"title": "A"}).json()["code"] == "condition_needed"
    assert call("patch", path, {"title": "B"}, **{"If-Match": tag}).json()["title"] == "B"
    late = call("patch", path, {"title": "C"}, **{"If-Match": tag})
    assert (late.status_code, late.json()["code"]) == (412, "changed_meanwhile")
    assert call("post", f"{path}/publish", **{"If-Match": tag}).status_code == 412
    assert call("patch", path, {"title": "D"}, **{"If-Match": "*"}).json()["title"] == "D"
    assert Interview.objects.get().status == "draft"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": None}, "title"),
        ({"titel": "misspelt"}, "titel"),
        ({"language": "xx"}, "language"),
        ({"voice": "nobody"}, "voice"),
        ({"deadline": "2020-01-01T00:00:00Z"}, "deadline"),
        ({"vocabulary": "=" * 10}, "vocabulary"),
        ({"retention_days": 0}, "retention_days"),
        ({"questions": [{"text": "ok"}, {"text": " "}]}, "questions.1.text"),
        ({"questions": [{"text": "ok", "scripted_follow_ups": [" "]}]}, "questions.0.scripted_follow_ups"),
        ({"questions": [{"id": 99999, "text": "whose?"}]}, "questions"),
        ({"rubric": [{"name": "Clarity", "levels": ["one"]}]}, "rubric.0.levels"),
        ({"rubric": [{"name": "A", "levels": ["1", "2"], "questions": [3]}]}, "rubric.0.questions"),
        ({"rubric": [{"name": "A", "levels": ["1", "2"]}] * 2}, "rubric"),
    ],
)
def test_wrong_value_names_its_place_and_changes_nothing(call, draft, wrong, field):
    refused = change(call, draft, {"title": "Changed", **wrong})
    assert (refused.status_code, refused.json()["field"]) == (422, field)
    assert Interview.objects.get().title == "Engineer"


def test_life_of_an_interview(call, draft):
    path = f"/interviews/{draft['id']}"
    copy = call("post", f"{path}/duplicate").json()
    assert (copy["title"], copy["question_count"], len(copy["rubric"])) == ("Engineer (copy)", 2, 1)
    assert call("post", f"{path}/archive").json()["status"] == "archived"
    assert change(call, draft, {"title": "X"}).json()["code"] == "wrong_state"
    assert [each["id"] for each in call("get", "/interviews", {"status": "draft"}).json()["items"]] == [
        copy["id"]
    ]
    assert call("post", f"{path}/restore").json()["status"] == "draft"


def test_interview_that_nobody_could_finish_is_not_published(call, draft):
    change(call, draft, {"questions": []})
    refused = call("post", f"/interviews/{draft['id']}/publish")
    assert (refused.status_code, refused.json()["code"]) == (422, "bad_value")
    assert "no questions" in refused.json()["detail"]


def test_versions_are_kept_and_compared(call, draft):
    path = f"/interviews/{draft['id']}"
    call("post", f"{path}/publish")
    change(call, draft, {"title": "Engineer, senior"})
    call("post", f"{path}/publish")
    versions = call("get", f"{path}/versions").json()["items"]
    assert [(each["number"], each["is_current"]) for each in versions] == [(2, True), (1, False)]
    first = call("get", f"{path}/versions/1").json()
    assert (first["title"], first["questions"][0]["text"]) == ("Engineer", "Why you?")
    assert first["rubric"][0]["questions"] == [first["questions"][1]["id"]]
    assert call("get", f"{path}/versions/1/differences").json() == []
    assert len(call("get", f"{path}/versions/2/differences").json()) == 1
    [difference] = call("get", f"{path}/versions/2/differences", {"against": 1}).json()
    assert (difference["before"], difference["after"]) == ("Engineer", "Engineer, senior")
    assert call("get", f"{path}/versions/3").status_code == 404
    assert call("get", f"{path}/versions/99999999999").status_code == 404


def test_bank_is_kept_and_picked_from(call, draft):
    added = call("post", "/bank-questions", {"text": "Which tools?", "tags": ["Python", "python", "ops"]})
    question = added.json()
    assert (added.status_code, question["tags"]) == (201, ["Python", "ops"])
    assert [each["id"] for each in call("get", "/bank-questions", {"search": "ops"}).json()["items"]] == [
        question["id"]
    ]
    assert call("get", "/bank-questions", {"search": "none"}).json()["items"] == []
    path = f"/bank-questions/{question['id']}"
    picked = call("post", f"/interviews/{draft['id']}/bank-questions", {"questions": [question["id"]]})
    assert [each["text"] for each in picked.json()["questions"]] == ["Why you?", "Why us?", "Which tools?"]
    assert call("patch", path, {"text": "X"}).status_code == 428
    tag = call("get", path)["ETag"]
    assert call("patch", path, {"text": "Which?"}, **{"If-Match": tag}).json()["text"] == "Which?"
    assert call("delete", path).status_code == 204
    assert not BankQuestion.objects.exists()
    assert Interview.objects.get().questions.count() == 3


def test_another_organisation_writes_nothing(call):
    foreign = factories.InterviewFactory(questions=1)
    kept = factories.BankQuestionFactory()
    path = f"/interviews/{foreign.pk}"
    for method, address, body in [
        ("patch", path, {"title": "Mine"}),
        *(("post", f"{path}/{verb}", None) for verb in ("publish", "archive", "restore", "duplicate")),
        ("get", f"{path}/versions", None),
        ("get", f"{path}/versions/1", None),
        ("patch", f"/bank-questions/{kept.pk}", {"text": "Mine"}),
        ("delete", f"/bank-questions/{kept.pk}", None),
    ]:
        assert call(method, address, body, **{"If-Match": "*"}).status_code == 404, address
    mine = call("post", "/interviews", DRAFT).json()
    stolen = call("post", f"/interviews/{mine['id']}/bank-questions", {"questions": [kept.pk]})
    assert (stolen.status_code, stolen.json()["field"]) == (422, "questions")


def test_languages_of_the_description_are_those_that_are_offered():
    from interviews.api.schemas.values import LanguageCode

    assert [code for code, _name in LANGUAGES] == list(LanguageCode.__args__)
