"""Colleagues who may see a candidate: whom a note can mention, and whom a session can be assigned to."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import Membership, Organisation, User
from interviews.models import Assignment, Session


def of_organisation(organisation: Organisation) -> QuerySet[User]:
    """Return the active members of an organisation, by name."""
    members = User.objects.filter(is_active=True, memberships__organisation=organisation)
    return members.order_by("username")


def of_session(session: Session) -> QuerySet[User]:
    """Return those of them who may see this candidate."""
    organisation = session.interview.organisation
    people = of_organisation(organisation)
    if not organisation.is_review_by_assignment:
        return people
    reviewing = Membership.objects.filter(
        user=OuterRef("pk"), organisation=organisation, role=Membership.Role.REVIEWER
    )
    assigned = Assignment.objects.filter(reviewer=OuterRef("pk"), session=session)
    return people.filter(~Exists(reviewing) | Q(Exists(assigned)))
