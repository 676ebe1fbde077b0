"""The admin page of an organisation, and of its look on the candidate's pages."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from accounts import access, colours, logos
from accounts.models import Organisation
from accounts.scoped_admin import ScopedModelAdmin
from accounts.sign_on import second_factor


class OrganisationForm(forms.ModelForm):
    accent_colour = forms.RegexField(
        r"^#[0-9a-fA-F]{6}$",
        label=_("Accent colour"),
        required=False,
        help_text=_("As #rrggbb, for the candidate's pages. Empty for the standard one."),
        error_messages={"invalid": _("Write it as # and six digits, for example #0b6e4f.")},
        widget=UnfoldAdminTextInputWidget,
    )
    new_logo = forms.FileField(
        label=_("Logo"),
        required=False,
        help_text=_("PNG, JPEG or WebP, for the candidate's pages. It is shown at most 40 pixels high."),
        widget=UnfoldAdminFileFieldWidget,
    )
    has_no_logo = forms.BooleanField(
        label=_("Remove the logo"), required=False, widget=UnfoldBooleanSwitchWidget
    )

    def clean_accent_colour(self) -> str:
        """Refuse a colour in which text is hard to read, and say which one is near."""
        colour = self.cleaned_data["accent_colour"].lower()
        near = colours.in_light(colour) if colour else ""
        if near != colour:
            raise forms.ValidationError(
                _("Text in %(colour)s is hard to read. The nearest colour that can be read is %(near)s."),
                params={"colour": colour, "near": near},
            )
        return colour

    def clean_new_logo(self) -> Any:
        """Read the image: what is wrong with it is the field's error."""
        file = self.cleaned_data["new_logo"]
        try:
            return logos.checked(file.read(logos.MAX_BYTES + 1)) if file else None
        except logos.BadLogo as error:
            raise forms.ValidationError(str(error)) from error


class OrganisationAdmin(ScopedModelAdmin):
    form = OrganisationForm
    readonly_fields = ["logo_shown"]
    list_display = ["name", "slug"]
    search_fields = ["name"]
    organisation_path = "pk"
    writing_roles = access.OWNERS

    def get_fieldsets(self, request: HttpRequest, obj: Organisation | None = None) -> list:
        logo = ["logo_shown"] if obj and obj.logo else []
        if self.has_change_permission(request, obj):
            logo += ["new_logo", *(["has_no_logo"] if logo else [])]
        return [
            (None, {"fields": ["name", "slug"]}),
            (_("Candidate’s pages"), {"fields": ["accent_colour", *logo]}),
            (
                _("Contact for candidates"),
                {
                    "fields": ["contact_name", "contact_email", "contact_phone"],
                    "description": _(
                        "Stands on every page of a candidate: “If something goes wrong”. "
                        "An interview may name another."
                    ),
                },
            ),
            (_("Review"), {"fields": ["is_review_by_assignment"]}),
            (_("Personal data"), {"fields": [("retention_days", "warned_days")]}),
            (_("Sign-in"), {"fields": ["is_second_factor_required"]}),
            *self._of_language_model(),
        ]

    def _of_language_model(self) -> list:
        """Without a language model there is nothing to turn on."""
        if not settings.LLM_NAME:
            return []
        return [(_("Follow-up questions"), {"fields": ["is_language_model_used"]})]

    @display(description=_("logo"))
    def logo_shown(self, organisation: Organisation) -> str:
        return render_to_string("admin/accounts/organisation/logo.html", {"logo": logos.url(organisation)})

    def save_model(
        self, request: HttpRequest, obj: Organisation, form: forms.ModelForm, change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        image, is_removed = form.cleaned_data["new_logo"], form.cleaned_data["has_no_logo"]
        if image or is_removed:
            logos.set_logo(organisation=obj, image=image)
        if obj.is_second_factor_required and "is_second_factor_required" in form.changed_data:
            count = second_factor.note_requirement(obj, by=request.user)
            if count:
                messages.warning(
                    request, _("%d sessions without a second factor ended, maybe your own as well.") % count
                )

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict:
        return {} if obj else {"slug": ["name"]}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return access.is_unlimited(request.user)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return access.is_unlimited(request.user)
