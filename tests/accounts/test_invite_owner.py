"""`manage.py invite_owner`: how an installation gets its first owner."""

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.urls import reverse

from accounts.models import Membership, Organisation, User
from tests import factories

pytestmark = pytest.mark.django_db

ADDRESS = "ada@example.com"
ACCOUNT = {"first_name": "Ada", "last_name": "Lovelace"} | dict.fromkeys(
    ("password1", "password2"), factories.PASSWORD
)


@pytest.fixture
def invite(settings, capsys):
    settings.BASE_URL = "https://interviews.example.org"
    settings.EMAIL_URL = "smtp://mail.example.com"

    def run(email=ADDRESS, organisation="Example Ltd"):
        call_command("invite_owner", email, organisation=organisation)
        return capsys.readouterr().out.strip().removeprefix("https://interviews.example.org")

    return run


def test_first_owner_chooses_a_password_and_owns_a_new_organisation(client, invite):
    link = invite()

    assert client.post(link, ACCOUNT)["Location"] == reverse("admin:index")

    membership = Membership.objects.get()
    assert (membership.organisation.name, membership.role) == ("Example Ltd", Membership.Role.OWNER)
    assert User.objects.get().check_password(factories.PASSWORD)
    assert mail.outbox == []


def test_second_link_ends_the_first(client, invite):
    first, second = invite(), invite()

    assert client.get(first).status_code == 404
    assert client.get(second).status_code == 200
    assert Organisation.objects.count() == 1


def test_link_works_once(client, invite):
    link = invite()
    client.post(link, ACCOUNT)

    assert client.get(link).status_code == 404


@pytest.mark.parametrize(
    ("email", "organisation"), [("ada", "Example Ltd"), (ADDRESS, "example ltd")], ids=["address", "name"]
)
def test_mistake_is_refused(invite, email, organisation):
    factories.OrganisationFactory(name="Example Ltd", slug="example-ltd")

    with pytest.raises(CommandError):
        invite(email, organisation)


def test_organisation_without_latin_letters_gets_a_slug(invite):
    invite(organisation="株式会社")

    assert Organisation.objects.get().slug == "organisation"
