"""Which entries of the audit are asked for."""

from datetime import date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

from django import forms
from django.db.models import DateTimeField, ExpressionWrapper, F, Q, QuerySet, Value
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import INPUT_CLASSES, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts import access
from accounts.audit.models import AuditEntry
from accounts.models import ApiKey, User
from interviews.models import Invitation

MOST_NAMED: Final = 200
"""People or candidates that a part of a name may mean. One who means more writes more of it."""
LAST_DAY: Final = date.max - timedelta(days=2)
SORTED: Final = ExpressionWrapper(F("at") + Value(timedelta(0)), output_field=DateTimeField()).desc()
"""The same order, for which PostgreSQL does not read a million entries until it has met 50 of a candidate."""
ANY: Final = [("", _("any"))]


class _Day(forms.DateInput):
    """The browser's own field for a day."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d", attrs={"class": " ".join(INPUT_CLASSES)})


class AuditForm(forms.Form):
    """before: the last entry of the page before."""

    person = forms.CharField(
        label=_("Person or API key"), required=False, max_length=200, widget=UnfoldAdminTextInputWidget()
    )
    candidate = forms.CharField(
        label=_("Candidate: name, e-mail or id"),
        required=False,
        max_length=200,
        widget=UnfoldAdminTextInputWidget(),
    )
    kind = forms.ChoiceField(
        label=_("What"),
        required=False,
        choices=[*ANY, *AuditEntry.Kind.choices],
        widget=UnfoldAdminSelectWidget(),
    )
    outcome = forms.ChoiceField(
        label=_("Outcome"),
        required=False,
        choices=[*ANY, *AuditEntry.Outcome.choices],
        widget=UnfoldAdminSelectWidget(),
    )
    since = forms.DateField(label=_("From"), required=False, widget=_Day())
    until = forms.DateField(label=_("To"), required=False, widget=_Day())
    before = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    @property
    def entries(self) -> QuerySet[AuditEntry]:
        """The entries that are asked for, of the organisations that the user owns, the newest first."""
        asked = self.cleaned_data if self.is_valid() else {}
        rows = access.scoped(AuditEntry.objects.all(), self.user, path="organisation_id", roles=access.OWNERS)
        equal = {name: asked[name] for name in ("kind", "outcome") if asked.get(name)}
        rows = rows.filter(
            self._by(asked.get("person", "")), self._about(asked.get("candidate", "")), **equal
        )
        if since := asked.get("since"):
            rows = rows.filter(at__gte=_midnight(since))
        if until := asked.get("until"):
            rows = rows.filter(at__lt=_midnight(until, days_later=1))
        return rows.order_by(SORTED, "-pk") if asked.get("candidate") else rows

    def page(self, length: int) -> list[AuditEntry]:
        """Return so many of them after `before`."""
        rows = self.entries
        last = rows.filter(pk=self.cleaned_data["before"]).first() if self._goes_on else None
        if last is not None:
            rows = rows.filter(Q(at__lt=last.at) | Q(at=last.at, pk__lt=last.pk), at__lte=last.at)
        return list(rows[:length])

    @property
    def _goes_on(self) -> bool:
        return self.is_valid() and bool(self.cleaned_data.get("before"))

    def _by(self, words: str) -> Q:
        if not words:
            return Q()
        named = Q()
        for column in ("username", "first_name", "last_name", "email"):
            named |= Q(**{f"{column}__icontains": words})
        people = access.users(self.user, access.OWNERS).filter(named)
        keys = access.scoped(
            ApiKey.objects.all(), self.user, path="organisation_id", roles=access.OWNERS
        ).filter(name__icontains=words)
        return Q(person_id__in=_first(people)) | Q(key_id__in=_first(keys))

    def _about(self, words: str) -> Q:
        if not words:
            return Q()
        try:
            return Q(candidates__contains=[UUID(words.strip())])
        except ValueError:
            pass
        invitations = access.scoped(
            Invitation._base_manager.all(),  # noqa: SLF001  with those that were set aside
            self.user,
            path="interview__organisation_id",
            roles=access.OWNERS,
        )
        named = Q(candidate_name__icontains=words) | Q(candidate_email__icontains=words)
        return Q(candidates__overlap=_first(invitations.filter(named)))


def _first(rows: QuerySet) -> list[Any]:
    return list(rows.order_by("pk").values_list("pk", flat=True)[:MOST_NAMED])


def _midnight(day: date, *, days_later: int = 0) -> datetime:
    return timezone.make_aware(datetime.combine(min(day, LAST_DAY) + timedelta(days=days_later), time.min))
