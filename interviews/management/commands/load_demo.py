"""A demo organisation. Runs at every start of the demo and makes only what is missing."""

import json
import os
import secrets
from argparse import ArgumentParser
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction
from django.utils import timezone

from accounts.models import ApiKey, Membership, Organisation, User
from interviews import tokens
from interviews.actions import invitations
from interviews.management.demo_content import REVIEWERS, DemoInterview, DemoQuestion, interview_for
from interviews.models import Interview

ORGANISATION, SLUG = "Demo organisation", "demo"
KEY_NAME = "Demo"
LINK_DAYS = 14


DEMO_INTERVIEWS = (
    DemoInterview(
        "Customer support, first interview",
        "Customer support",
        "en",
        (
            DemoQuestion("What made you curious about working with customers?"),
            DemoQuestion(
                "Tell us about a time when you helped somebody who was upset. What did you do?", retakes=1
            ),
            DemoQuestion("What would you like to learn in your first three months with us?"),
        ),
    ),
    DemoInterview(
        "Kundendienst, erstes Gespräch",
        "Kundendienst",
        "de",
        (
            DemoQuestion("Was reizt Sie an der Arbeit mit Kundinnen und Kunden?"),
            DemoQuestion(
                "Erzählen Sie von einer Situation, in der Sie jemandem weiterhelfen konnten.", retakes=1
            ),
            DemoQuestion("Was möchten Sie in den ersten drei Monaten bei uns lernen?"),
        ),
    ),
)


class Command(BaseCommand):
    help = "Load a demo organisation with two interviews; write addresses, sign-in and a fresh link."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--base-url", required=True, help="where the platform is reached, without a slash at the end"
        )
        parser.add_argument("--write", type=Path, required=True, help="the file, readable by its owner only")

    def handle(self, *, base_url: str, write: Path, **options: Any) -> None:
        facts = load(base_url=base_url.rstrip("/"), earlier=_read(write))
        _write(write, facts)


@transaction.atomic
def load(*, base_url: str, earlier: dict[str, Any]) -> dict[str, Any]:
    """Make what is missing. Return addresses, sign-ins and a fresh link; passwords in `earlier` are kept."""
    organisation, _made = Organisation.objects.get_or_create(slug=SLUG, defaults={"name": ORGANISATION})
    password = earlier.get("password") or secrets.token_urlsafe(12)
    recruiter_password = earlier.get("recruiter_password") or secrets.token_urlsafe(12)
    admin = _user("admin", password, organisation, Membership.Role.OWNER, is_superuser=True)
    recruiter = _user("recruiter", recruiter_password, organisation, Membership.Role.RECRUITER)
    reviewers = _reviewers(organisation, earlier)
    rows = [interview_for(organisation, demo, admin) for demo in DEMO_INTERVIEWS]
    invitation = _invitation(rows[0], admin, base_url)
    return {
        "url": base_url,
        "admin_url": f"{base_url}/admin/",
        "username": admin.username,
        "password": password,
        "recruiter_username": recruiter.username,
        "recruiter_password": recruiter_password,
        **reviewers,
        "api_url": f"{base_url}/api/v1",
        "api_docs_url": f"{base_url}/api/docs",
        "api_key": _api_key(organisation, admin),
        "invitation_url": invitation,
        "interviews": {row.language: str(row.pk) for row in rows},
    }


def _user(
    username: str, password: str, organisation: Organisation, role: str, *, is_superuser: bool = False
) -> User:
    user, is_new = User.objects.get_or_create(
        username=username, defaults={"email": f"{username}@example.com"}
    )
    user.is_staff, user.is_superuser, user.is_active = True, is_superuser, True
    if is_new or not user.check_password(password):  # a check is as slow as a change
        user.set_password(password)
    user.save()
    Membership.objects.update_or_create(user=user, organisation=organisation, defaults={"role": role})
    return user


def _reviewers(organisation: Organisation, earlier: dict[str, Any]) -> dict[str, str]:
    """Return the sign-ins of the reviewers.

    A password that an earlier start wrote is not checked: each check takes a third of a second of the start.
    """
    facts: dict[str, str] = {}
    for username in REVIEWERS:
        name = username.replace("-", "_")
        known = earlier.get(f"{name}_password", "")
        if not known or not User.objects.filter(username=username).exists():
            known = known or secrets.token_urlsafe(12)
            _user(username, known, organisation, Membership.Role.REVIEWER)
        facts |= {f"{name}_username": username, f"{name}_password": known}
    return facts


def _invitation(interview: Interview, by: User, base_url: str) -> str:
    now = timezone.now()
    invitation = invitations.invite(
        interview=interview,
        candidate_name="Alex Demo",
        candidate_email="alex@example.com",
        expires_at=now + timedelta(days=LINK_DAYS),
        by=by,
        now=now,
    )
    return f"{base_url}/i/{tokens.in_link(invitation.token)}/"


def _api_key(organisation: Organisation, by: User) -> str:
    """Issue a new key and revoke that of the previous start, which is no longer used."""
    earlier = ApiKey.objects.filter(organisation=organisation, name=KEY_NAME, revoked_at__isnull=True)
    earlier.update(revoked_at=timezone.now())
    scopes = list(ApiKey.Scope.values)
    _row, key = ApiKey.issue(organisation=organisation, name=KEY_NAME, scopes=scopes, by=by)
    return key


def _read(path: Path) -> dict[str, Any]:
    """Read the file of an earlier start; empty if it is missing or invalid."""
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}


def _write(path: Path, facts: dict[str, Any]) -> None:
    """Replace the file atomically, readable only by its owner."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(facts, file, indent=2)
        file.write("\n")
    draft.replace(path)
