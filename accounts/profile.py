"""A person's own page: the name, language and time zone, and which organisation the pages show."""

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts import admin_log
from accounts.access import is_unlimited
from accounts.models import Organisation, User


def time_zones() -> list[str]:
    """Return the names of places whose time this machine knows, and UTC."""
    return [
        "UTC",
        *sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/")),
    ]


class ProfileForm(forms.ModelForm):
    language = forms.ChoiceField(
        label=_("Language"), required=False, widget=UnfoldAdminSelectWidget, help_text=_("Of these pages.")
    )
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        required=False,
        widget=UnfoldAdminSelectWidget,
        help_text=_("Times on these pages, and those that you write, are of this place."),
    )

    class Meta:
        model = User
        fields = ["first_name", "last_name", "language", "time_zone"]
        widgets = {"first_name": UnfoldAdminTextInputWidget, "last_name": UnfoldAdminTextInputWidget}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        fields["language"].choices = [("", _("As the browser asks")), *settings.LANGUAGES]
        zones = [(name, name.replace("_", " ")) for name in time_zones()]
        standard = gettext("The standard one, %s") % settings.TIME_ZONE
        fields["time_zone"].choices = [("", standard), *zones]


CHOSEN = "organisation"
"""Where the session of a signed-in person keeps the chosen organisation."""


@require_POST
def switch(request: HttpRequest) -> HttpResponse:
    """Choose the organisation whose rows the pages show; anything else chooses all of the own ones."""
    ids = {str(pk): pk for pk in own_organisations(request.user).values_list("pk", flat=True)}
    request.session[CHOSEN] = ids.get(request.POST.get(CHOSEN, ""))
    return redirect("admin:index")


def own_organisations(user: Any) -> QuerySet[Organisation]:
    """Return the organisations of a member, whichever is chosen."""
    return Organisation.objects.filter(memberships__user=user.pk)


@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    """Show and change the own profile. Every person who signs in may."""
    person: Any = request.user
    form = ProfileForm(request.POST or None, instance=User.objects.get(pk=person.pk))
    if request.method == "POST" and form.is_valid():
        user = form.save()
        admin_log.record(user, [user], CHANGE, "Profile.")
        with translation.override(user.language or translation.get_language()):
            messages.success(request, gettext("Your profile is saved."))
        return redirect("profile")
    context = {**admin.site.each_context(request), "title": _("Your profile"), "form": form}
    context["organisations"] = () if is_unlimited(request.user) else own_organisations(request.user)
    return TemplateResponse(request, "admin/accounts/profile.html", context)
