import pytest

from accounts.models import Membership
from tests import factories

Role = Membership.Role


@pytest.fixture
def ours(db):
    return factories.OrganisationFactory(name="Ours")


@pytest.fixture
def theirs(db):
    return factories.OrganisationFactory(name="Theirs")


@pytest.fixture
def member(ours, client):
    """A function: sign in as a new member of `ours` with the given role."""

    def sign_in(role=Role.RECRUITER, organisation=ours):
        user = factories.MembershipFactory(organisation=organisation, role=role).user
        client.force_login(user)
        return user

    return sign_in
