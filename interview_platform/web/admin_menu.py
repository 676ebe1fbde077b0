"""The admin's side bar, in the recruiter's words."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import access
from accounts.models import Organisation


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the side bar, with the pages that the user may open."""
    user = request.user
    return [
        _pages_of_interviews(user),
        _pages_of_candidates(user),
        _pages_of_organisation(user),
        _pages_of_platform(user),
    ]


def _pages_of_interviews(user: Any) -> dict[str, Any]:
    is_member, is_writer = access.has_any(user), access.has_any(user, access.WRITERS)
    return _section(
        "",
        _item(_("Overview"), "dashboard", "admin:index", True),
        _item(_("Interviews"), "graphic_eq", "admin:interviews_interview_changelist", is_member),
        _item(_("Question bank"), "bookmarks", "admin:interviews_bankquestion_changelist", is_member),
        _item(_("Vocabulary"), "dictionary", "admin:interviews_vocabulary_changelist", is_writer),
        _item(_("Analytics"), "bar_chart", "analytics", is_member) | {"active": _is_about_figures},
        _item(_("Adverse impact"), "diversity_3", "impact", access.has_any(user, access.OWNERS)),
    )


def _pages_of_candidates(user: Any) -> dict[str, Any]:
    is_member, is_writer = access.has_any(user), access.has_any(user, access.WRITERS)
    return _section(
        _("Candidates"),
        _item(_("Invitations"), "mail", "admin:interviews_invitation_changelist", is_member),
        _item(_("Open links"), "campaign", "admin:interviews_openlink_changelist", is_writer),
        _item(_("Candidates’ interviews"), "headphones", "admin:interviews_session_changelist", is_member)
        | {"active": _is_about_sessions},
        _item(_("Under way"), "sensors", "watching", is_member),
        _item(_("My reviews"), "rate_review", "admin:interviews_session_queue", is_member),
        _item(_("Candidates"), "contacts", "candidates", is_member),
        _item(_("Search"), "search", "search", is_member),
        _item(_("E-mails"), "outgoing_mail", "admin:interviews_message_changelist", is_writer),
        _item(_("Legal holds"), "gavel", "admin:interviews_legalhold_changelist", is_writer),
        _item(_("Erased candidates"), "delete_forever", "admin:interviews_erasure_changelist", is_writer),
    )


def _pages_of_organisation(user: Any) -> dict[str, Any]:
    is_member, is_owner = access.has_any(user), access.has_any(user, access.OWNERS)
    is_writer = access.has_any(user, access.WRITERS)
    invited = "admin:accounts_colleagueinvitation_changelist"
    return _section(
        _("Organisation"),
        _item(_("Organisations"), "apartment", "admin:accounts_organisation_changelist", is_member),
        _item(_("People"), "group", "admin:accounts_user_changelist", is_owner),
        _item(_("Invited colleagues"), "person_add", invited, is_owner),
        _item(_("Roles"), "badge", "admin:accounts_membership_changelist", is_member),
        _item(_("E-mail texts"), "edit_note", "admin:interviews_mailtemplate_changelist", is_writer),
        _item(_("Self-declared groups"), "how_to_vote", "admin:interviews_groupsurvey_changelist", is_owner),
        _item(_("API keys"), "key", "admin:accounts_apikey_changelist", is_owner),
        _item(_("Webhooks"), "webhook", "admin:interviews_webhookendpoint_changelist", is_owner),
        _item(_("Audit"), "policy", "audit", is_owner),
    )


def _pages_of_platform(user: Any) -> dict[str, Any]:
    is_member, is_owner = access.has_any(user), access.has_any(user, access.OWNERS)
    return _section(
        _("Platform"),
        _item(_("Speech engines"), "record_voice_over", "speech-engines", is_member),
        _item(_("Speech playground"), "play_circle", "voice:playground", is_member),
        _item(_("Queues"), "stacks", "django_rq:home", access.is_unlimited(user)),
        _item(_("API description"), "api", "api:openapi-view", is_owner),
    )


def _is_about_sessions(request: HttpRequest) -> bool:
    """Whether the page is about candidates' interviews: the queue below the same address has its own item."""
    is_below = request.path.startswith(reverse("admin:interviews_session_changelist"))
    return is_below and request.path != reverse("admin:interviews_session_queue")


def _is_about_figures(request: HttpRequest) -> bool:
    """Whether the page is about figures: adverse impact below the same address has its own item."""
    return request.path.startswith(reverse("analytics")) and not request.path.startswith(reverse("impact"))


def own_pages(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the menu of the signed-in person. A member of several organisations sees which is chosen."""
    pk = getattr(request.user, "chosen", None)
    chosen = Organisation.objects.filter(pk=pk, memberships__user=request.user.pk).first() if pk else None
    return [
        *([{"title": chosen.name, "link": reverse("profile")}] if chosen else []),
        {"title": _("Profile"), "link": reverse("profile")},
        {"title": _("Second factor"), "link": reverse("second-factor")},
        {"title": _("Passkeys"), "link": reverse("passkeys")},
        {"title": _("Sessions"), "link": reverse("sessions")},
        {"title": _("Change password"), "link": reverse("admin:password_change")},
    ]


def _section(title: str, *items: dict[str, Any]) -> dict[str, Any]:
    return {"title": title, "separator": True, "items": items} if title else {"items": items}


def _item(title: str, icon: str, name: str, is_allowed: bool) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": reverse(name), "permission": lambda request: is_allowed}
