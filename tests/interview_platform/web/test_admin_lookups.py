"""No list of the admin can be filtered, sorted or searched by a column that its pages do not offer for it."""

from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.contrib.admin.utils import get_fields_from_path
from django.db import models
from django.test import RequestFactory
from django.urls import reverse

from accounts.models import Membership
from accounts.scoped_admin import ScopedModelAdmin
from tests import factories
from tests.staff import member, ours, theirs  # noqa: F401

SECRETS = {
    "secret_encrypted",
    "previous_secret_encrypted",
    "token_hash",
    "token_encrypted",
    "plain_token",
    "digest",
    "password",
}
OFFERED = {
    "accounts.organisation": set(),
    "accounts.user": {"is_active__exact"},
    "accounts.membership": {"organisation__id__exact", "role__exact"},
    "accounts.colleagueinvitation": {"organisation__id__exact"},
    "accounts.apikey": {"organisation__id__exact"},
    "interviews.bankquestion": {"language__exact", "organisation__id__exact"},
    "interviews.vocabulary": {"language__exact", "organisation__id__exact"},
    "interviews.erasure": {"interview__id__exact", "source__exact", "status__exact"},
    "interviews.groupsurvey": set(),
    "interviews.legalhold": {"interview__id__exact"},
    "interviews.interview": {"language__exact", "organisation__id__exact", "status__exact"},
    "interviews.jobdescription": {"status__exact"},
    "interviews.invitationbatch": {"interview__id__exact", "status__exact"},
    "interviews.mailtemplate": {"kind__exact", "organisation__id__exact"},
    "interviews.message": {"invitation__interview__id__exact", "kind__exact", "status__exact", "delivery"},
    "interviews.openlink": {"interview__id__exact"},
    "interviews.webhookendpoint": {"organisation__id__exact"},
    "interviews.webhookdelivery": {"endpoint__id__exact", "status__exact"},
    "interviews.invitation": {"interview__id__exact", "status__exact", "mail", "ends", "days", "erased"},
    "interviews.session": {"invitation__interview__id__exact", "status__exact", "decision", "days"},
}
"""What each list may be filtered by, to be read by people."""
ADMINS = {model._meta.label_lower: page for model, page in admin.site._registry.items()}


def paths(model: type[models.Model], depth: int, before: str = "") -> Iterator[tuple[str, models.Field]]:
    """Every field of the model and, across relations in either direction, of the models around it."""
    for field in model._meta.get_fields():
        yield before + field.name, field
        if field.is_relation and depth and field.related_model:
            yield from paths(field.related_model, depth - 1, f"{before}{field.name}__")


def lookups(path: str, field: models.Field) -> Iterator[str]:
    yield path
    for name, lookup in field.get_lookups().items() if hasattr(field, "get_lookups") else ():
        yield f"{path}__{name}"
        if isinstance(lookup, type) and issubclass(lookup, models.Transform):
            yield from (f"{path}__{name}__{then}" for then in ("exact", "gte", "regex"))


def test_every_list_is_of_a_scoped_admin():
    assert set(ADMINS) == set(OFFERED), "say by what a new list may be filtered"
    assert all(isinstance(page, ScopedModelAdmin) for page in ADMINS.values())


@pytest.mark.parametrize("name", sorted(OFFERED))
def test_only_what_is_offered_filters(name):
    page, request = ADMINS[name], RequestFactory().get("/")
    tried = {lookup for path, field in paths(page.model, 2) for lookup in lookups(path, field)}
    allowed = {lookup for lookup in tried | page.named_lookups if page.lookup_allowed(lookup, "1", request)}
    assert allowed == OFFERED[name]
    assert page.named_lookups == OFFERED[name], "no further name is accepted"
    assert len(tried) > 1000
    assert not any(page.lookup_allowed(lookup, "a\0", request) for lookup in tried)


@pytest.mark.parametrize("name", sorted(OFFERED))
def test_no_list_searches_or_sorts_by_a_secret(name):
    page, request = ADMINS[name], RequestFactory().get("/")
    request.user = factories.UserFactory.build(is_superuser=True)
    columns = [
        getattr(getattr(page, column, None), "admin_order_field", column) for column in page.list_display
    ]
    for path in [*page.search_fields, *filter(None, columns)]:
        assert SECRETS.isdisjoint(path.lstrip("-=^@").split("__")), path
    for path in page.search_fields:
        assert isinstance(get_fields_from_path(page.model, path)[-1], (models.CharField, models.TextField))
    for column in SECRETS:
        assert not page.to_field_allowed(request, column)


@pytest.mark.django_db
@pytest.mark.usefixtures("ours")
class TestAddresses:
    """The same over HTTP, for a reviewer who looks for the link of a candidate."""

    @pytest.fixture
    def invitation(self, member, ours):  # noqa: F811
        member(Membership.Role.REVIEWER)
        interview = factories.InterviewFactory(organisation=ours, questions=1)
        return factories.InvitationFactory(interview=interview)

    @pytest.mark.parametrize(
        "lookup",
        [
            *("token__regex", "token__startswith", "token", "plain_token__regex", "token_hash__gt"),
            *("token_encrypted__contains", "interview__created_by__password__startswith", "id__exact"),
            *("candidate_email__regex", "interview__organisation__api_keys__digest__startswith"),
        ],
    )
    def test_link_cannot_be_guessed_letter_by_letter(self, client, invitation, lookup, caplog):
        for list_name in ("invitation", "session"):
            address = reverse(f"admin:interviews_{list_name}_changelist")
            path = lookup if list_name == "invitation" else f"invitation__{lookup}"
            assert client.get(address, {path: invitation.token[0]}).status_code == 400
            assert client.get(address, {path: "("}).status_code == 400, "an expression that is none"
        assert "Traceback" not in caplog.text

    @pytest.mark.parametrize(
        "parameters",
        [
            *({"_to_field": "plain_token"}, {"_to_field": "token_hash"}),
            {"_changelist_filters": "plain_token__regex=^A"},
            *({"o": "7"}, {"o": "-99"}, {"o": "token_hash"}, {"_facets": "True"}),
        ],
    )
    def test_other_parameters_change_nothing(self, client, invitation, parameters):
        other = factories.InvitationFactory(interview=invitation.interview)
        response = client.get(reverse("admin:interviews_invitation_changelist"), parameters)
        if response.status_code == 200:
            assert {row.pk for row in response.context["cl"].queryset} == {invitation.pk, other.pk}
        else:
            assert response.status_code == 400

    def test_row_cannot_be_named_by_its_token(self, client, invitation):
        address = reverse("admin:interviews_invitation_change", args=[invitation.token])
        for column in ("plain_token", "token_hash", "candidate_email"):
            assert client.get(f"{address}?_to_field={column}").status_code == 400

    @pytest.mark.parametrize("word", ["token", "hash", "hex", "encrypted"])
    def test_search_and_completion_do_not_look_into_the_link(self, client, invitation, word):
        kept = {
            "token": invitation.token,
            "hash": invitation.token_hash.decode("latin-1").replace("\0", ""),
            "hex": invitation.token_hash.hex(),
            "encrypted": invitation.token_encrypted.decode(),
        }[word]
        response = client.get(reverse("admin:interviews_invitation_changelist"), {"q": kept})
        assert response.context["cl"].result_count == 0
        field = {"app_label": "interviews", "model_name": "session", "field_name": "invitation"}
        completion = client.get(reverse("admin:autocomplete"), {**field, "term": kept})
        assert completion.json()["results"] == []

    def test_offered_filters_work(self, client, invitation):
        address = reverse("admin:interviews_invitation_changelist")
        for parameters in (
            {"status__exact": "pending", "interview__id__exact": str(invitation.interview_id)},
            {"days": "7"},
        ):
            assert client.get(address, parameters).context["cl"].result_count == 1

    @pytest.mark.parametrize("value", ["99999999999", "9999", "0", "-1", "x", "²", "1\0", ""])
    @pytest.mark.parametrize("name", ["days", "created_at__year", "status__exact", "interview__id__exact"])
    def test_odd_value_is_no_failure(self, client, invitation, name, value):
        response = client.get(reverse("admin:interviews_invitation_changelist"), {name: value})
        assert response.status_code in (200, 302, 400)

    def test_rest_filters_by_nothing_else(self, client, invitation):
        key = factories.ApiKeyFactory(organisation=invitation.interview.organisation).plain
        headers = {"authorization": f"Bearer {key}"}
        for name in ("token", "token__startswith", "token_hash", "plain_token__regex"):
            found = client.get("/api/v1/invitations", {name: "no such token"}, headers=headers).json()
            assert len(found["items"]) == 1, "an unknown parameter filters nothing"
