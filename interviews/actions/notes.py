"""Notes about a candidate: private, or shared with colleagues, whom they may mention as @username."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from interviews.actions.errors import BadValue
from interviews.models import Mention, Note, Session
from interviews.queries import colleagues
from interviews.texts.mentions import mentioned

LONGEST = 4000


@transaction.atomic
def write(*, session: Session, text: str, is_shared: bool, by: User, now: datetime) -> Note:
    """Write a note, and tell those whom it mentions.

    Raises BadValue: it is empty or too long, it mentions a person who may not see this candidate, or it
    mentions people but is private.
    """
    text = text.replace("\0", "").replace("\r\n", "\n").strip()
    if not text:
        raise BadValue(_("text: the note is empty."))
    if len(text) > LONGEST:
        raise BadValue(_("text: at most %d characters.") % LONGEST)
    people = {person.username: person for person in colleagues.of_session(session)}
    found, unknown = mentioned(text, people)
    if unknown:
        raise BadValue(_("text: no colleague who sees this candidate is called @%s.") % unknown[0])
    if found and not is_shared:
        raise BadValue(_("text: a private note cannot mention anyone. Share it, or leave the @ out."))
    note = Note.objects.create(session=session, author=by, text=text, is_shared=is_shared, written_at=now)
    Mention.objects.bulk_create(
        Mention(note=note, person=people[name]) for name in found if name != by.username
    )
    return note


def mark_seen(*, mention: Mention, by: User, now: datetime) -> None:
    """Take a mention from the list of what waits for the person. Others' mentions stay."""
    Mention.objects.filter(pk=mention.pk, person=by, seen_at=None).update(seen_at=now)
