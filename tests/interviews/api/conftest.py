"""Calls of the API with a key of the organisation."""

import pytest

from accounts.models import ApiKey
from tests import factories


@pytest.fixture
def calling(client):
    """A function that returns how to call the API with a new key: `api("get", "/path")` is (status, body)."""

    def with_key(organisation, *scopes):
        key = factories.ApiKeyFactory(organisation=organisation, scopes=list(scopes or ApiKey.Scope))

        def call(method, path, body=None, if_match="*", **params):
            options = {"content_type": "application/json", "data": body or {}}
            if method == "get":
                options = {"data": params}
            headers = {"Authorization": f"Bearer {key.plain}", "If-Match": if_match}
            response = getattr(client, method)(f"/api/v1{path}", headers=headers, **options)
            is_json = not response.streaming and "json" in response.headers.get("Content-Type", "")
            return response.status_code, response.json() if is_json and response.content else response

        return call

    return with_key
