"""Fixtures for pages with sign-in: two organisations, and members of the first."""

import pytest

from accounts.models import Membership
from tests import factories


@pytest.fixture
def ours(db):
    return factories.OrganisationFactory(name="Ours")


@pytest.fixture
def theirs(db):
    return factories.OrganisationFactory(name="Theirs")


@pytest.fixture
def member(ours, client):
    """A function that signs in as a new member of `ours` with the given role."""

    def sign_in(role=Membership.Role.RECRUITER):
        user = factories.MembershipFactory(organisation=ours, role=role).user
        client.force_login(user)
        return user

    return sign_in
