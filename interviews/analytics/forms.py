"""Which candidates the figures are about."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts import access
from accounts.models import User
from interviews.models import Erasure, Interview, Invitation

DAYS = 90
"""That are shown at first."""
FIRST_YEAR, LAST_YEAR = 2000, 2999
"""A day beyond them is a slip of the finger, and Python knows no time zone for the last days it has."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Who is counted. days: from the first to the last; address: the same as parameters of an address.

    viewer: is told no score or decision that is hidden from this person elsewhere.
    """

    viewer: User
    invitations: QuerySet[Invitation]
    erasures: QuerySet[Erasure]
    days: int
    address: str


class SelectionForm(forms.Form):
    """Days on which candidates were invited, an interview, a job. Offers what the user may see."""

    first = forms.DateField(label=_("Invited from"), widget=UnfoldAdminTextInputWidget({"type": "date"}))
    last = forms.DateField(label=_("To"), widget=UnfoldAdminTextInputWidget({"type": "date"}))
    interview = forms.ModelChoiceField(
        Interview.objects.none(),
        label=_("Interview"),
        required=False,
        empty_label=_("All"),
        widget=UnfoldAdminSelectWidget,
    )
    job = forms.ChoiceField(label=_("Job"), required=False, widget=UnfoldAdminSelectWidget)

    def __init__(self, parameters: Any, *, user: User) -> None:
        today = timezone.localdate()
        shown_first = {"first": today - timedelta(days=DAYS - 1), "last": today}
        super().__init__({**shown_first, **{name: value for name, value in parameters.items() if value}})
        self.user = user
        interviews = access.scoped(Interview.objects.all(), user, path="organisation_id")
        jobs = interviews.exclude(job_title="").order_by("job_title").values_list("job_title", flat=True)
        interview_field: Any = self.fields["interview"]
        job_field: Any = self.fields["job"]
        interview_field.queryset = interviews.only("title", "organisation_id").order_by("title")
        job_field.choices = [("", _("All")), *((job, job) for job in jobs.distinct())]

    def clean_first(self) -> date:
        return _plausible(self.cleaned_data["first"])

    def clean_last(self) -> date:
        return _plausible(self.cleaned_data["last"])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "first" in cleaned and "last" in cleaned and cleaned["first"] > cleaned["last"]:
            self.add_error("last", _("This day is before the first one."))
        return cleaned

    def selection(self) -> Selection:
        """Return who is counted. The form is valid."""
        first, last = self.cleaned_data["first"], self.cleaned_data["last"]
        scoped: Any = access.scoped(Invitation.objects.all(), self.user, path="interview__organisation_id")
        gone = access.scoped(Erasure.objects.all(), self.user, path="interview__organisation_id")
        invitations = scoped.counted().filter(created_at__gte=_begins(first), created_at__lt=_ends(last))
        erasures = gone.filter(is_trial=False, invited_on__range=(first, last))
        chosen = self._chosen()
        return Selection(
            viewer=self.user,
            invitations=invitations.filter(**chosen),
            erasures=erasures.filter(**chosen),
            days=(last - first).days + 1,
            address=urlencode({"first": first, "last": last, **self._parameters()}),
        )

    def _chosen(self) -> dict[str, Any]:
        interview, job = self.cleaned_data["interview"], self.cleaned_data["job"]
        return {
            **({"interview": interview} if interview else {}),
            **({"interview__job_title": job} if job else {}),
        }

    def _parameters(self) -> dict[str, Any]:
        interview, job = self.cleaned_data["interview"], self.cleaned_data["job"]
        return {**({"interview": interview.pk} if interview else {}), **({"job": job} if job else {})}


def _plausible(day: date) -> date:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise forms.ValidationError(_("This year is not possible."))
    return day


def _begins(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def _ends(day: date) -> datetime:
    return _begins(day + timedelta(days=1))
