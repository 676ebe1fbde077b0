"""On an invitation's page: its link, shown only to those who may invite, and revoked."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from accounts.audit.doors import Kind, leaves
from accounts.scoped_admin import ScopedModelAdmin
from interviews import states
from interviews.actions import invitations
from interviews.actions.errors import ActionRefused
from interviews.models import Invitation
from interviews.queries import links
from interviews.tokens import UnreadableToken

USABLE = (Invitation.Status.PENDING, Invitation.Status.STARTED)


class LinkActions(ScopedModelAdmin):
    """Base of the invitations' admin: the link of one candidate."""

    def get_urls(self) -> list[URLPattern]:
        link = path(
            "<uuid:invitation_id>/link/",
            self.admin_site.admin_view(require_POST(self.link_view)),
            name="interviews_invitation_link",
        )
        return [link, *super().get_urls()]

    @leaves(Kind.READ)
    def link_view(self, request: HttpRequest, invitation_id: UUID) -> HttpResponse:
        """Show the link to those who may invite. No page has it, and the admin log says who asked for it."""
        invitation = get_object_or_404(self.writable(request), pk=invitation_id, status__in=USABLE)
        try:
            link = invitation.url
        except UnreadableToken as error:
            return HttpResponse(str(error), status=409, content_type="text/plain")
        self.log_change(request, invitation, "Link shown.")
        return HttpResponse(link, content_type="text/plain")

    def has_revoke_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may revoke links, and this one can still be revoked."""
        if not self._is_allowed(request, obj, self.writing_roles):
            return False
        sources = states.REVOKE_INVITATION.sources
        return obj is None or self.writable(request).filter(pk=obj, status__in=sources).exists()

    @display(description=_("link"))
    def link(self, invitation: Invitation) -> str:
        is_finished = invitation.status == Invitation.Status.FINISHED
        context = {
            "invitation": invitation,
            "is_usable": invitation.status in USABLE,
            "shows_answers_until": links.closes_at(invitation.session) if is_finished else None,
        }
        return render_to_string("admin/interviews/invitation/link.html", context)

    @display(description=_("link"))
    def link_button(self, invitation: Invitation) -> str:
        if invitation.status not in USABLE or not getattr(invitation, "is_writable", False):
            return "–"
        return render_to_string("admin/interviews/invitation/link_button.html", {"invitation": invitation})

    @admin.action(description=_("Revoke"), permissions=["revoke"])
    def revoke_selected(self, request: HttpRequest, rows: QuerySet[Invitation]) -> None:
        own = self.writable(request).filter(pk__in=rows.values("pk")).select_related("session")
        done = [self._revoke(request, invitation) for invitation in own]
        messages.success(
            request, _("%(done)d of %(all)d links revoked.") % {"done": sum(done), "all": len(rows)}
        )

    @action(
        description=_("Revoke"),
        permissions=["revoke"],
        icon="link_off",
        variant=ActionVariant.DANGER,
        dialog={
            "title": _("Revoke this link?"),
            "description": _(
                "The candidate can no longer use it, and open pages end. An interview under way is closed; "
                "what was said is kept. This cannot be undone."
            ),
            "form_submit_text": _("Revoke"),
        },
    )
    def revoke_link(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        invitation = self.writable(request).filter(pk=object_id).first()
        if invitation is None or not self._revoke(request, invitation):
            messages.error(request, _("The link cannot be revoked: it was revoked before."))
        else:
            messages.success(request, _("The link was revoked."))
        address = reverse("admin:interviews_invitation_change", args=[object_id])
        return HttpResponse(headers={"HX-Redirect": address})

    def _revoke(self, request: HttpRequest, invitation: Invitation) -> bool:
        try:
            invitations.revoke(invitation=invitation, by=request.user, now=timezone.now())
        except ActionRefused:
            return False
        self.log_change(request, invitation, "Revoked.")
        return True
