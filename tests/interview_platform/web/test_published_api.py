"""docs/openapi.json is what the code serves; a difference says whether it breaks programs of others."""

import copy
import json

import jsonschema_rs
import pytest

from interview_platform.management.commands.publish_api import PUBLISHED, described
from tests.interview_platform.web.api_changes import METHODS, breaking

V1 = "/api/v1/"
INTERVIEW = "/api/v1/interviews/{interview_id}"


@pytest.fixture(scope="module")
def api():
    return described()


def operations(api):
    for path, methods in api["paths"].items():
        for method, operation in methods.items():
            assert method in METHODS
            yield f"{method} {path}", operation


def test_published_description_is_that_of_the_code(api):
    published = json.loads(PUBLISHED.read_text())
    broken = "\n".join(breaking(published, api))
    advice = "Run `python manage.py publish_api`, and tell of the change in CHANGELOG.md."
    warning = (
        f"It breaks programs of others; deprecate instead (docs/rest-api.md):\n{broken}\n" if broken else ""
    )
    assert published == api, f"The API is not as docs/openapi.json says. {warning}{advice}"


def test_bodies_of_interviews_refuse_a_field_that_there_is_not(api):
    lenient = {
        f"{name}: {ref}"
        for name, operation in operations(api)
        if V1 in name and f"{V1}voice" not in name
        for ref in bodies(api, operation.get("requestBody", {}))
        if api["components"]["schemas"][ref].get("additionalProperties") is not False
    }
    assert lenient == set()


def bodies(api, node):
    """Return the names of the objects that a body has, at any depth."""
    found, left = set(), [node]
    while left:
        each = left.pop()
        if isinstance(each, list):
            left += each
        elif isinstance(each, dict):
            left += [inner for key, inner in each.items() if key not in ("example", "examples")]
            name = str(each.get("$ref", "")).rpartition("/")[2]
            if name and name not in found and "properties" in api["components"]["schemas"][name]:
                found.add(name)
                left.append(api["components"]["schemas"][name])
    return found


def test_every_operation_of_interviews_has_examples_that_are_as_described(api):
    for name, operation in operations(api):
        if V1 not in name or f"{V1}voice" in name:
            continue
        answers = [one for status, one in operation["responses"].items() if status < "300"]
        parts = [*answers, *([operation["requestBody"]] if "requestBody" in operation else [])]
        for content in [each for part in parts for each in part.get("content", {}).values()]:
            schema = {"components": api["components"], **content["schema"]}
            jsonschema_rs.validate(schema, content["example"])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda api: api["paths"].pop(INTERVIEW), f"GET {INTERVIEW}: is gone"),
        (
            lambda api: schema(api, "InterviewIn")["required"].append("job_title"),
            "POST /api/v1/interviews: body.job_title is required now",
        ),
        (
            lambda api: schema(api, "InterviewOut")["properties"].pop("status"),
            "GET /api/v1/interviews: answer.items[].status is gone",
        ),
        (
            lambda api: schema(api, "InterviewIn")["properties"]["patience"]["enum"].remove("quick"),
            "POST /api/v1/interviews: body.patience: it takes quick no more",
        ),
        (
            lambda api: schema(api, "QuestionIn")["properties"]["retakes"].update(maximum=3),
            "POST /api/v1/interviews: body.questions[].retakes: maximum is 3 now",
        ),
        (
            lambda api: schema(api, "InterviewOut")["properties"]["id"].update(type="integer"),
            "GET /api/v1/interviews: answer.items[].id: its type is another one (integer)",
        ),
        (
            lambda api: api["paths"][INTERVIEW]["get"]["parameters"][0].update(name="id"),
            f"GET {INTERVIEW}: the parameter interview_id is gone",
        ),
        (
            lambda api: api["paths"]["/api/v1/interviews"]["post"]["responses"].pop("201"),
            "POST /api/v1/interviews: it answers 201 no more",
        ),
    ],
)
def test_breaking_change_is_told(api, change, told):
    changed = copy.deepcopy(api)
    change(changed)
    assert told in breaking(api, changed)


def schema(api, name):
    return api["components"]["schemas"][name]


def test_what_is_added_breaks_nothing(api):
    changed = copy.deepcopy(api)
    schema(changed, "InterviewIn")["properties"]["colour"] = {"type": "string", "default": ""}
    schema(changed, "InterviewOut")["properties"]["colour"] = {"type": "string"}
    schema(changed, "InterviewIn")["properties"]["patience"]["enum"].append("endless")
    changed["paths"]["/api/v1/new"] = {}
    assert breaking(api, changed) == breaking(api, api) == []
