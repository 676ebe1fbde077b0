"""Prove that nothing of one or more candidates is left, or say what is."""

from argparse import ArgumentParser
from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.audit.models import AuditEntry
from accounts.audit.recording import Actor, Entry, Kind, record
from interviews.actions import personal_data
from interviews.models import Answer, Erasure, Invitation, Session
from voice.privacy import scanning

WORDS = ("name", "e-mail", "token")
OF_THE_AUDIT = ("accounts_auditentry.candidates", "accounts_auditentry.row")
"""The audit keeps that something happened to a candidate, by random ids alone (docs/audit.md)."""
OF_EVENTS = ("interviews_webhookevent.subject", "interviews_webhookevent.data")
"""Other systems are told of the erasure itself, by the candidate's random id; what else was told is empty."""


class Command(BaseCommand):
    help = (
        "Search PostgreSQL, Redis and object storage for candidates, and print what was searched and found. "
        "The exit status is 1 if anything was found. After an erasure the platform no longer knows "
        "names, e-mail addresses and tokens: give those that shall be searched for, each with its option."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        more: Any = {"action": "append", "default": []}
        parser.add_argument("id", type=UUID, nargs="+", help="the id of a candidate's invitation")
        parser.add_argument("--name", **more, help="a candidate's name; found as a whole")
        parser.add_argument("--email", dest="e-mail", **more, help="a candidate's e-mail address")
        parser.add_argument("--token", **more, help="the last part of a candidate's link")

    def handle(self, *args: Any, **options: Any) -> None:
        entry = Entry(Kind.READ, "prove_erasure", timezone.now(), actor=Actor.COMMAND)
        record(entry, candidates=options["id"])
        words = {"id": [*map(str, options["id"])]}
        words |= {kind: [word for word in options[kind] if word] for kind in WORDS if any(options[kind])}
        for invitation_id in options["id"]:
            for kind, more in _known(invitation_id).items():
                words[kind] = [*dict.fromkeys([*words.get(kind, []), *more])]
        self.stdout.write(f"searching for: {', '.join(words)}")
        if missing := [kind for kind in WORDS if kind not in words]:
            self.stdout.write(f"not searched for, because it was not given: {', '.join(missing)}")
        found_n = sum(self._print(report) for report in _reports(words))
        kept = AuditEntry.objects.filter(candidates__overlap=options["id"]).count()
        self.stdout.write(f"entries of the audit, which keeps ids: {kept}")
        waiting = Erasure.objects.filter(status=Erasure.Status.WAITING).count()
        self.stdout.write(f"erasures under way: {waiting}")
        if found_n:
            raise CommandError(f"found in {found_n} places", returncode=1)
        self.stdout.write("found: nothing")

    def _print(self, report: scanning.Report) -> int:
        """Print a report, and return in how many places something was found."""
        self.stdout.write(f"{report.searched}: {len(report.found) or 'nothing'} found")
        for place in report.found:
            self.stdout.write(f"  {place}")
        return len(report.found)


def _reports(words: scanning.Words) -> list[scanning.Report]:
    return [
        scanning.database(words, without_ids=(*OF_THE_AUDIT, *OF_EVENTS)),
        _events(words["id"]),
        scanning.redis_keys(words),
        scanning.files(words),
        scanning.without_row(),
    ]


def _events(ids: Collection[str]) -> scanning.Report:
    told = personal_data.STORES[personal_data.TOLD]
    return scanning.Report("events", [place for each in ids for place in told.find(each)])


def _known(invitation_id: UUID) -> dict[str, list[str]]:
    """Return the words of a candidate who was not erased."""
    invitation = Invitation.objects.filter(pk=invitation_id).first()
    if invitation is None:
        return {}
    session = Session.objects.filter(invitation=invitation).first()
    answers = Answer.objects.filter(session=session).values_list("pk", "recording_id") if session else []
    ids = [session and session.pk, *(each for row in answers for each in row)]
    words = {
        "id": [str(each) for each in ids if each],
        "name": [invitation.candidate_name],
        "e-mail": [invitation.candidate_email],
        "token": [invitation.token],
    }
    return {kind: [word for word in known if word] for kind, known in words.items() if any(known)}
