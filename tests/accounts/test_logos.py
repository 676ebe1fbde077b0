"""The look of an organisation on the candidate's pages: logo, accent colour, contact."""

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from accounts import logos
from accounts.models import Membership
from tests import factories
from tests.accounts.test_images import chunk, png

Role = Membership.Role


def save(client, organisation, **fields):
    address = reverse("admin:accounts_organisation_change", args=[organisation.pk])
    response = client.post(address, {"name": organisation.name, "slug": organisation.slug, **fields})
    organisation.refresh_from_db()
    return response


def upload(content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("logo.png", content)


@pytest.fixture
def owner(member):
    return member(Role.OWNER)


def test_logo_is_kept_without_metadata_and_served_for_ever(client, owner, ours):
    save(client, ours, new_logo=upload(png(between=chunk(b"tEXt", b"Comment\0taken at home"))))

    response = client.get(logos.url(ours))

    assert response.content == png()
    assert response["Content-Type"] == "image/png"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "immutable" in response["Cache-Control"]


@pytest.mark.django_db(transaction=True)
def test_logo_that_is_replaced_or_removed_is_deleted_unless_another_has_it(client, owner, ours, theirs):
    save(client, ours, new_logo=upload(png()))
    first = ours.logo
    logos.set_logo(organisation=theirs, image=logos.checked(png()))
    save(client, ours, new_logo=upload(png(30, 30)))
    second = ours.logo
    assert default_storage.exists(logos.file_name(first)), "the other organisation has it"

    save(client, ours, has_no_logo="on")

    assert ours.logo == ""
    assert not default_storage.exists(logos.file_name(second))
    assert client.get(reverse("logo", args=[second])).status_code == 404
    assert client.get(reverse("logo", args=[first])).status_code == 200


@pytest.mark.parametrize(
    ("content", "why"), [(b"<svg/>", "no whole PNG"), (png() + b"\0" * logos.MAX_BYTES, "too large")]
)
def test_what_is_no_logo_is_a_form_error(client, owner, ours, content, why):
    assert why in save(client, ours, new_logo=upload(content)).content.decode()
    assert ours.logo == ""


@pytest.mark.parametrize("name", ["..%2Fsecret", "a" * 64 + ".svg", "a" * 64 + ".png"])
def test_no_other_file_is_served(client, db, name):
    assert client.get(f"/logos/{name}").status_code == 404


def test_colour_that_is_hard_to_read_is_refused_with_the_nearest_one(client, owner, ours):
    page = save(client, ours, accent_colour="#FFD400").content.decode()
    assert "hard to read" in page
    assert "#8c6200" in page

    assert save(client, ours, accent_colour="#8c6200").status_code == 302
    assert ours.accent_colour == "#8c6200"


def test_candidate_sees_logo_colours_and_contact_on_every_page(client, owner, ours):
    fields = {"contact_name": "Kim Lee", "contact_email": "kim@example.com", "contact_phone": "+49 30 1234"}
    save(client, ours, new_logo=upload(png()), accent_colour="#0b6e4f", **fields)
    invitation = factories.SessionFactory(invitation__interview__organisation=ours).invitation
    client.logout()
    for page in ("", "room/", "data/"):
        content = client.get(f"/i/{invitation.token}/{page}").content.decode()
        assert logos.url(ours) in content, page
        assert "--accent: #0b6e4f; --accent-in-dark: #" in content, page
        for shown in ("Kim Lee", "mailto:kim@example.com", "tel:+49301234"):
            assert shown in content, (page, shown)
