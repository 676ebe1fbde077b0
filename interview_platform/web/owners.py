"""Batches and cloned voices of organisations and people that were deleted."""

from accounts.models import Organisation, User
from voice.privacy import owners


def erase_of_deleted() -> None:
    """Erase what belongs to an owner who does not exist any more. Runs every few minutes."""
    for owner in sorted(owners.all_owners()):
        if not _exists(owner):
            owners.erase(owner)


def _exists(owner: str) -> bool:
    """Whether an owner, as `interview_platform.web.callers` names it, exists; one of another form is kept."""
    kind, _, key = owner.partition(":")
    rows = {"organisation": Organisation.objects.all(), "user": User.objects.all()}.get(kind)
    return rows is None or not key.isdecimal() or rows.filter(pk=key).exists()
