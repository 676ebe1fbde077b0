"""Jobs of the clock."""

import logging

from django.conf import settings
from django.utils import timezone

from accounts import metrics
from accounts.audit import chain, expiry, heads, verification
from accounts.audit.recording import Entry, Kind, Outcome, record

logger = logging.getLogger(__name__)


def extend() -> None:
    """Link the newest entries, and keep the heads of the chains. Each minute."""
    chain.extend()
    heads.keep(timezone.now())


def verify() -> None:
    """Look at the whole audit, and say what is wrong: in the log, in a metric, in the audit. Each day."""
    now = timezone.now()
    report = verification.verify(now=now)
    for finding in report.findings[:100]:
        logger.error("audit of organisation %d: %s", *finding)
    metrics.AUDIT_FINDINGS.inc(len(report.findings))
    outcome = Outcome.FAILED if report.findings else Outcome.ALLOWED
    record(Entry(Kind.VERIFIED, "clock", now, outcome=outcome))


def expire() -> None:
    """Delete the months that are not to be kept, where the role of the clock may. Each day."""
    if settings.AUDIT_MONTHS and expiry.may_expire():
        now = timezone.now()
        expiry.expire(before=expiry.first_kept(settings.AUDIT_MONTHS, now.date()), now=now)
