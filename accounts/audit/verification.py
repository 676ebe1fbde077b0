"""Whether the audit is as it was written: every link, every entry, every kept head."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final, NamedTuple

from accounts.audit import chain, heads, keys
from accounts.audit.chain import Head
from accounts.audit.expiry import CHECKPOINT, signed_of
from accounts.audit.models import AuditCheckpoint, AuditEntry, AuditLink

AT_ONCE: Final = 2000
MOST: Final = 1000
"""Entries without a link that are named."""


class Finding(NamedTuple):
    """Something that is wrong. organisation: its id; 0: the platform's own chain."""

    organisation: int
    what: str


class Report(NamedTuple):
    """chains, entries: how many were looked at."""

    chains: int
    entries: int
    findings: list[Finding]


def verify(*, now: datetime) -> Report:
    """Look at everything. It reads the whole audit: some seconds for 50,000 entries.

    Raises OSError while object storage is away.
    """
    organisations = chain.organisations()
    findings = [finding for of in organisations for finding in _of_chain(of)]
    findings += _inserted(now)
    findings += _cut_off()
    return Report(len(organisations), AuditEntry.objects.count(), findings)


def _of_chain(of: int) -> list[Finding]:
    """Compare the links and entries of a chain. It begins anew if months expired meanwhile."""
    while True:
        checkpoint = _checkpoint_of(of)
        findings = list(_after(checkpoint, of))
        if _checkpoint_of(of) == checkpoint:
            return findings


def _checkpoint_of(of: int) -> AuditCheckpoint | None:
    return AuditCheckpoint.objects.filter(organisation=of).order_by("-number").first()


def _after(checkpoint: AuditCheckpoint | None, of: int) -> Iterator[Finding]:
    head = Head(0, b"")
    if checkpoint is not None:
        head = Head(checkpoint.number, bytes(checkpoint.mac))
        if problem := _wrong(bytes(checkpoint.signature), CHECKPOINT, signed_of(checkpoint), checkpoint.key):
            yield Finding(of, f"the checkpoint at {head.number} {problem}")
    while links := list(
        AuditLink.objects.filter(organisation=of, number__gt=head.number).order_by("number")[:AT_ONCE]
    ):
        entries = AuditEntry.objects.in_bulk([link.entry for link in links])
        for link in links:
            yield from _of_link(of, link, entries.get(link.entry), head)
            head = Head(link.number, bytes(link.mac))


def _of_link(of: int, link: AuditLink, entry: AuditEntry | None, before: Head) -> Iterator[Finding]:
    if link.number != before.number + 1:
        yield Finding(of, f"removed: {before.number + 1} to {link.number - 1}")
    elif entry is None:
        yield Finding(of, f"removed: {link.number}, the entry {link.entry}")
    elif (entry.organisation_id or 0) != of:
        yield Finding(of, f"altered: {link.number}, the entry {entry.pk} is of another organisation")
    elif problem := _wrong(
        bytes(link.mac), chain.LINK, chain.content_of(entry, link.number), link.key, before.mac
    ):
        yield Finding(of, f"altered: {link.number}, the entry {entry.pk} {problem}")


def _wrong(signature: bytes, what: str, content: list, key: str, before: bytes = b"") -> str:
    """Return what is wrong with a signature; "" if nothing."""
    try:
        is_right = keys.is_signed(signature, what, content, key=key, before=before)
    except keys.UnknownKey:
        return f"cannot be verified: AUDIT_KEYS lacks the key {key}"
    return "" if is_right else "is not as it was signed"


def _inserted(now: datetime) -> list[Finding]:
    rows = chain.overdue(now).order_by("pk").values_list("organisation_id", "pk")[:MOST]
    return [
        Finding(of or 0, f"inserted, or the clock does not run: the entry {pk} is in no chain")
        for of, pk in rows
    ]


def _cut_off() -> Iterator[Finding]:
    """Compare every head that was kept with the chain."""
    for name in heads.names():
        try:
            kept = heads.read(name)
        except FileNotFoundError:  # its month expired since the files were listed
            continue
        except heads.BadHeads:
            yield Finding(0, f"the heads in {name} are not signed by one of AUDIT_KEYS")
            continue
        for of in chain.lost(kept):
            yield Finding(of, f"cut off: number {kept[of].number}, kept in {name}, is not in the chain")
