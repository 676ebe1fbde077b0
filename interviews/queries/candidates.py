"""Candidates across interviews: one person is one address in one organisation, upper and lower case alike.

Nothing is kept about them: they are found in the invitations, and gone with the last of them. An invitation
without an address is a person of its own.

    candidates.history(invitation, among=rows)

Each function takes the invitations that the user may read, and knows no others.
"""

from collections.abc import Collection
from uuid import UUID

from django.db.models import Case, Count, Exists, IntegerField, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Lower

from interviews.models import Invitation
from interviews.models.invitation import Invitations

AddressOf = Lower("candidate_email")


def newest_of_each(invitations: Invitations) -> QuerySet[Invitation]:
    """Return each candidate once, by the newest invitation, the newest first."""
    rows = invitations.counted().annotate(address=AddressOf)
    newer = rows.filter(
        address=OuterRef("address"),
        interview__organisation=OuterRef("interview__organisation"),
    ).filter(
        Q(created_at__gt=OuterRef("created_at")) | Q(created_at=OuterRef("created_at"), pk__gt=OuterRef("pk"))
    )
    return rows.filter(Q(candidate_email="") | ~Exists(newer)).order_by("-created_at", "-pk")


def history(invitation: Invitation, *, among: Invitations) -> QuerySet[Invitation]:
    """Return the invitations of a candidate in the organisation, the newest first."""
    rows = among.counted().annotate(address=AddressOf)
    if invitation.candidate_email:
        rows = rows.filter(
            address=invitation.candidate_email.lower(),
            interview__organisation=invitation.interview.organisation_id,
        )
    else:
        rows = rows.filter(pk=invitation.pk)
    return rows.select_related("interview", "session", "created_by").order_by("-created_at")


def count_invitations(invitations: Collection[Invitation], *, among: Invitations) -> dict[UUID, int]:
    """Return how many invitations the candidate of each of these has, in one statement."""
    keys = {row.pk: (row.interview.organisation_id, row.candidate_email.lower()) for row in invitations}
    rows = among.counted().annotate(address=AddressOf)
    rows = rows.filter(address__in={address for _, address in keys.values() if address})
    grouped = rows.order_by().values_list("interview__organisation", "address").annotate(Count("pk"))
    counts = {(organisation, address): count for organisation, address, count in grouped}
    return {key: counts.get(address, 1) for key, address in keys.items()}


def with_words(rows: QuerySet[Invitation], words: str) -> QuerySet[Invitation]:
    """Return those whose name or address has the words."""
    return rows.filter(Q(candidate_name__icontains=words) | Q(candidate_email__icontains=words))


def with_invitation_count(rows: QuerySet[Invitation]) -> QuerySet[Invitation]:
    """`rows` of `newest_of_each` with `invitation_count`: how many the candidate has in the organisation."""
    others = Invitation.objects.counted().annotate(address=AddressOf)
    same = others.filter(
        address=OuterRef("address"), interview__organisation=OuterRef("interview__organisation")
    )
    count = same.order_by().values("address").annotate(count=Count("pk")).values("count")
    is_alone = When(candidate_email="", then=1)
    return rows.annotate(
        invitation_count=Case(is_alone, default=Subquery(count), output_field=IntegerField())
    )


def page_of(
    invitations: Invitations, *, words: str = "", before: Invitation | None = None, length: int
) -> list[Invitation]:
    """Return candidates whose name or address has the words, `length` of them after `before`."""
    rows = newest_of_each(invitations).select_related("interview__organisation")
    if words:
        rows = with_words(rows, words)
    if before is not None:
        rows = rows.filter(
            Q(created_at__lt=before.created_at) | Q(created_at=before.created_at, pk__lt=before.pk)
        )
    return list(rows[:length])
