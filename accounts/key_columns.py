"""Columns of API keys: what one may do, who made it, when it was used, and whether it works."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from accounts.models import ApiKey

WARNED_BEFORE = timedelta(days=14)
"""So long before its end a key counts as ending soon."""


class KeyColumns:
    """What the list and the page of a key show."""

    @display(description=_("begins with"))
    def begins_with(self, key: ApiKey) -> str:
        return f"{key.hint}…"

    @display(description=_("may use"))
    def may_use(self, key: ApiKey) -> str:
        return ", ".join(sorted(key.granted))

    @display(description=_("allowed networks"))
    def may_come_from(self, key: ApiKey) -> str:
        return ", ".join(key.networks.split()) or gettext("everywhere")

    @display(description=_("last used"), ordering="last_used_at")
    def last_used(self, key: ApiKey) -> str:
        return _written(key.last_used_at) if key.last_used_at else gettext("never")

    @display(description=_("expires"))
    def ends(self, key: ApiKey) -> str:
        return _written(key.expires_at) if key.expires_at else gettext("never")

    @display(description=_("made by"), ordering="created_by__username")
    def made_by(self, key: ApiKey) -> str:
        person = key.created_by
        if person is None:
            return gettext("not known: the key is older than this column")
        if not person.is_active and not (key.is_personal or key.revoked_at):
            return gettext("%s, deactivated; the key goes on working until it is revoked") % person
        named = str(person) if person.is_active else gettext("%s, deactivated") % person
        return gettext("%s, for this person alone") % named if key.is_personal else named

    @display(description=_("state"), label={"valid": "success", "ending": "warning", "ended": "danger"})
    def state(self, key: Any) -> tuple[str, str]:
        now = timezone.now()
        if key.revoked_at:
            return "ended", gettext("revoked")
        if key.expires_at and key.expires_at <= now:
            return "ended", gettext("replaced") if key.replaced_by_id else gettext("expired")
        if key.is_person_gone:
            return "ended", gettext("ended with its person")
        if key.replaced_by_id:
            return "ending", gettext("replaced, ends %s") % _day(key.expires_at)
        if key.expires_at and key.expires_at <= now + WARNED_BEFORE:
            return "ending", gettext("expires %s") % _day(key.expires_at)
        return "valid", gettext("valid")

    @display(description=_("state"))
    def state_in_words(self, key: Any) -> str:
        return self.state(key)[1]


def _day(moment: datetime) -> str:
    return date_format(timezone.localtime(moment), "SHORT_DATE_FORMAT")


def _written(moment: datetime) -> str:
    return date_format(timezone.localtime(moment), "SHORT_DATETIME_FORMAT")
