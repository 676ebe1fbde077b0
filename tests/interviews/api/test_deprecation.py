"""An operation that will go says so in every answer and in the description."""

from datetime import date

from ninja import NinjaAPI
from ninja.testing import TestClient

from interviews.api.deprecation import deprecated

api = NinjaAPI(urls_namespace="deprecation")


@api.get("/old")
@deprecated(since=date(2027, 1, 1), ends=date(2028, 1, 1), explained_at="/docs/new")
def old(request):
    return {"kept": True}


@api.get("/new")
def new(request):
    return {}


def test_operation_that_will_go_says_so():
    response = TestClient(api).get("/old")

    assert response.json() == {"kept": True}
    assert response["Deprecation"] == "@1798761600"  # RFC 9745: seconds since 1970
    assert response["Sunset"] == "Sat, 01 Jan 2028 00:00:00 GMT"
    assert response["Link"] == '</docs/new>; rel="deprecation"'


def test_only_that_operation_is_described_as_deprecated():
    paths = api.get_openapi_schema(path_prefix="/")["paths"]

    assert paths["/old"]["get"]["deprecated"] is True
    assert "deprecated" not in paths["/new"]["get"]
