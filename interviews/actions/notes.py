"""Notes about a candidate: private, or shared with colleagues, whom they may mention as @username.

Only the author changes or deletes a note.
"""

import logging
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from interviews.actions.errors import BadValue, NotYours
from interviews.models import Mention, Note, Session
from interviews.queries import colleagues
from interviews.texts.mentions import mentioned

logger = logging.getLogger(__name__)

LONGEST = 4000


@transaction.atomic
def write(*, session: Session, text: str, is_shared: bool, by: User, now: datetime) -> Note:
    """Write a note, and tell those whom it mentions.

    Raises BadValue: it is empty or too long, it mentions a person who may not see this candidate, or it
    mentions people but is private.
    """
    text, people = _checked(session, text, is_shared=is_shared)
    note = Note.objects.create(session=session, author=by, text=text, is_shared=is_shared, written_at=now)
    _mention(note, people)
    return note


@transaction.atomic
def edit(*, note: Note, text: str, is_shared: bool, by: User, now: datetime) -> None:
    """Change the author's own note, and tell those whom it mentions only now. Others are mentioned no more.

    Raises BadValue: see `write`. NotYours: the note is another's, or was deleted.
    """
    note = _own(note, by)
    text, people = _checked(note.session, text, is_shared=is_shared)
    if (text, is_shared) == (note.text, note.is_shared):
        return
    note.text, note.is_shared, note.edited_at = text, is_shared, now
    note.save(update_fields=["text", "is_shared", "edited_at"])
    note.mentions.exclude(person__in=people).delete()
    _mention(note, people)
    logger.info("note %s of session %s is edited by %s", note.pk, note.session_id, by.pk)


@transaction.atomic
def delete(*, note: Note, by: User) -> None:
    """Delete the author's own note, with its mentions. Raises NotYours: it is another's, or was deleted."""
    note = _own(note, by)
    note.delete()
    logger.info("a note of session %s is deleted by %s", note.session_id, by.pk)


def mark_seen(*, mention: Mention, by: User, now: datetime) -> None:
    """Take a mention from the list of what waits for the person. Others' mentions stay."""
    Mention.objects.filter(pk=mention.pk, person=by, seen_at=None).update(seen_at=now)


def _own(note: Note, by: User) -> Note:
    """Lock the author's note, as it is now."""
    rows = Note.objects.select_for_update(of=("self",)).select_related("session__invitation__interview")
    found = rows.filter(pk=note.pk, author=by).first()
    if found is None:
        raise NotYours(_("Only its author can change a note, and this one is another's or was deleted."))
    return found


def _checked(session: Session, text: str, *, is_shared: bool) -> tuple[str, list[User]]:
    """Return the text as it is kept, and whom it mentions. Raises BadValue."""
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
    return text, [people[name] for name in found]


def _mention(note: Note, people: Iterable[User]) -> None:
    """Tell these people of the note, except the author and those who were told before."""
    mentions = [Mention(note=note, person=person) for person in people if person.pk != note.author_id]
    Mention.objects.bulk_create(mentions, ignore_conflicts=True)
