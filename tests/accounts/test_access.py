import pytest
from django.contrib.auth.models import AnonymousUser

from accounts import access
from accounts.models import Membership, Organisation
from tests import factories

Role = Membership.Role


def test_member_sees_own_organisations_only(ours, theirs):
    user = factories.MembershipFactory(organisation=ours).user
    assert list(access.organisations(user)) == [ours]


def test_superuser_sees_every_organisation(ours, theirs):
    assert set(access.organisations(factories.UserFactory(is_superuser=True))) == {ours, theirs}


def test_user_without_membership_sees_nothing(ours):
    assert not access.organisations(factories.UserFactory()).exists()


@pytest.mark.parametrize("flags", [{"is_active": False}, {"is_active": False, "is_superuser": True}])
def test_inactive_user_sees_nothing(ours, flags):
    user = factories.MembershipFactory(organisation=ours, user=factories.UserFactory(**flags)).user
    assert not access.organisations(user).exists()


def test_anonymous_sees_nothing(ours):
    assert not access.organisations(AnonymousUser()).exists()


@pytest.mark.parametrize(
    ("role", "may_write"), [(Role.OWNER, True), (Role.RECRUITER, True), (Role.REVIEWER, False)]
)
def test_role_decides_who_writes(ours, role, may_write):
    user = factories.MembershipFactory(organisation=ours, role=role).user
    assert access.has_role(user, ours.pk, access.WRITERS) is may_write
    assert access.has_role(user, ours.pk)


def test_role_in_one_organisation_means_nothing_in_another(ours, theirs):
    user = factories.MembershipFactory(organisation=ours, role=Role.OWNER).user
    factories.MembershipFactory(organisation=theirs, user=user, role=Role.REVIEWER)
    assert list(access.organisations(user, access.WRITERS)) == [ours]


def test_owner_administers_own_people_only(ours, theirs):
    owner = factories.MembershipFactory(organisation=ours, role=Role.OWNER).user
    colleague = factories.MembershipFactory(organisation=ours).user
    shared = factories.MembershipFactory(organisation=ours).user
    factories.MembershipFactory(organisation=theirs, user=shared)
    assert access.may_administer(owner, colleague)
    assert not access.may_administer(owner, shared), "a password would open the other organisation too"


def test_owner_never_administers_a_superuser(ours):
    owner = factories.MembershipFactory(organisation=ours, role=Role.OWNER).user
    chief = factories.MembershipFactory(organisation=ours, user=factories.UserFactory(is_superuser=True)).user
    assert not access.may_administer(owner, chief)


def test_scoped_does_not_repeat_rows(ours):
    factories.MembershipFactory.create_batch(3, organisation=ours)
    user = factories.MembershipFactory(organisation=ours).user
    assert access.users(user).count() == 4
    assert Organisation.objects.count() == access.organisations(user).count()
