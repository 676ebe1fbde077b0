"""What waits for those who invite: links that soon end unused, that cannot begin, and e-mails that failed."""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery

from accounts import access
from accounts.models import User
from interviews.models import Interview, Invitation, Message
from interviews.queries import blindness
from interviews.texts.mails import OF_DECISIONS

SOON: Final = timedelta(days=3)


class Waiting(NamedTuple):
    """How many invitations end soon and can no longer begin, e-mails did not arrive, drafts exist."""

    ending: int
    too_late: int
    failed_mails: int
    drafts: int


def waiting(user: User, *, now: datetime) -> Waiting:
    """Return what waits for the user, where the user may invite; in three statements."""
    rows: QuerySet = _own(Invitation.objects.counted(), user, "interview__organisation_id")
    mails = _own(Message.objects.all(), user, "invitation__interview__organisation_id")
    drafts = _own(Interview.objects.filter(status=Interview.Status.DRAFT), user, "organisation_id")
    failed = blindness.without_hidden_mails(mails.filter(did_not_arrive(now)), user)
    ends = rows.filter(not_begun(now)).aggregate(
        ending=Count("pk", filter=ends_soon(now)), too_late=Count("pk", filter=is_too_late(now))
    )
    return Waiting(**ends, failed_mails=failed.count(), drafts=drafts.count())


def not_begun(now: datetime) -> Q:
    """Return the condition for a link that works and was not used."""
    return Q(status=Invitation.Status.PENDING, expires_at__gt=now)


def ends_soon(now: datetime) -> Q:
    """Return the condition for a link that ends within `SOON`, while the interview can be begun."""
    return Q(expires_at__lte=now + SOON) & ~is_too_late(now)


def is_too_late(now: datetime) -> Q:
    """Return the condition for a link with which nobody can begin: the interview's deadline is over."""
    return Q(interview__published__deadline__isnull=False, interview__published__deadline__lte=now)


def did_not_arrive(now: datetime) -> Q:
    """Return the condition for an e-mail that failed or came back, is wanted, and was followed by no other.

    A link is wanted until the interview has begun, a decision always.
    """
    later = Message.objects.filter(invitation=OuterRef("invitation"), created_at__gt=OuterRef("created_at"))
    is_link_wanted = Q(invitation__status=Invitation.Status.PENDING, invitation__expires_at__gt=now)
    is_wanted = Q(kind__in=OF_DECISIONS) | is_link_wanted
    is_last = ~Exists(later.exclude(status=Message.Status.DROPPED))
    return Q(is_last, is_wanted, status__in=(Message.Status.FAILED, Message.Status.BOUNCED))


def has_returned(invitation: str = "pk") -> Exists:
    """Return the condition that the last e-mail to a candidate came back. invitation: the path to its id.

    E-mails that tell a decision do not count: there are none before the start, and a list would tell of them.
    """
    told = Message.objects.filter(invitation=OuterRef(OuterRef(invitation))).exclude(kind__in=OF_DECISIONS)
    sent = told.exclude(status__in=[Message.Status.WAITING, Message.Status.DROPPED])
    last = sent.order_by("-created_at").values("pk")[:1]
    return Exists(
        Message.objects.filter(
            invitation=OuterRef(invitation), status__in=Message.RETURNED, pk=Subquery(last)
        )
    )


def _own(rows: QuerySet, user: User, path: str) -> QuerySet:
    return access.scoped(rows, user, path=path, roles=access.WRITERS)
