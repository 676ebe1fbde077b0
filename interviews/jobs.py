"""Jobs of the product."""

from datetime import datetime
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from interviews.actions import (
    batches,
    draft_evaluations,
    erasure,
    erasure_warnings,
    exports,
    follow_ups,
    groups,
    idempotency,
    interview_drafts,
    invitations,
    mails,
    new_links,
    open_links,
    outbox,
    search_index,
    sessions,
    versions,
)
from interviews.exports import making
from interviews.models import Erasure
from interviews.webhooks import delivery
from voice.workers import erasing, handing_on
from voice.workers.sweeper import queue_again


def expire() -> None:
    """Expire links that are due, abandon idle sessions, and complete rows of the release before."""
    now = timezone.now()
    versions.publish_missing(now=now)
    batches.sweep(now=now)
    mails.sweep(now=now)
    open_links.sweep(now=now)
    invitations.protect_links(now=now)
    invitations.expire_due(now=now)
    follow_ups.sweep(now=now)
    sessions.abandon_idle(now=now)
    search_index.repair_recent(now=now)
    outbox.tell_missed_transcripts(now=now)
    outbox.forget_old(now=now)
    idempotency.forget_old(now=now)


def sweep_drafts() -> None:
    """Queue what the language model is to draft. Apart from `expire`, which must not fail with it."""
    now = timezone.now()
    interview_drafts.sweep(now=now)
    _queue_draft_evaluations(now)


def _queue_draft_evaluations(now: datetime) -> None:
    """Queue the draft evaluations of interviews that have ended, and again those that failed or were lost."""
    due = draft_evaluations.due(now=now).values_list("pk", "session__invitation__interview__organisation_id")
    queue_again(due, draft_evaluations.job_id, draft_evaluations.queue, about=("organisation_id",))


def draft_evaluation(draft_id: str) -> None:
    """Ask the language model for the levels that it suggests for a candidate."""
    if draft_evaluations.advance(draft_id=UUID(draft_id), now=timezone.now()):
        handing_on.line_up(draft_evaluations.QUEUE, job_id=draft_evaluations.job_id(draft_id))


def repair_search() -> None:
    """Index every answer that search does not know yet."""
    search_index.repair(since=None)


def ask_language_model(answer_id: str) -> None:
    """Look for a follow-up question to an answer, while the candidate waits."""
    follow_ups.look_for(answer_id=UUID(answer_id))


def draft_interview(description_id: str) -> None:
    """Have the language model draft an interview from a job description."""
    interview_drafts.draft(description_id=UUID(description_id))


def invite_batch(batch_id: str) -> None:
    """Invite the candidates of a spreadsheet."""
    batches.run(batch_id=UUID(batch_id), now=timezone.now())


def send_message(message_id: str) -> None:
    """Send an e-mail to a candidate."""
    mails.send(message_id=UUID(message_id), now=timezone.now())


def deliver_webhooks(endpoint_id: str) -> None:
    """Send what waits for an endpoint of another system."""
    delivery.deliver(endpoint_id=UUID(endpoint_id))


def sweep_webhooks() -> None:
    """Queue deliveries that are due, and those whose job was lost. Runs every few seconds."""
    due = outbox.due(now=timezone.now()).values_list("pk", "organisation_id")
    queue_again(due, outbox.job_id, outbox.queue, about=("organisation_id",))


def make_export(export_id: str) -> None:
    """Make a file about many candidates, which a program asked for."""
    making.make(UUID(export_id))


def sweep_exports() -> None:
    """Queue files that are due, and those whose job was lost; delete what expired. Apart from `expire`."""
    now = timezone.now()
    due = exports.due(now=now).values_list("pk", "organisation_id")
    queue_again(due, exports.job_id, exports.queue, about=("organisation_id",))
    exports.delete_expired(now=now)


def send_confirmation(application_id: str) -> None:
    """Send the mail that confirms an address."""
    open_links.send_confirmation(application_id=UUID(application_id), now=timezone.now())


def send_link(invitation_id: str) -> None:
    """Send a new link to a candidate."""
    new_links.send_link(invitation_id=UUID(invitation_id), now=timezone.now())


def erase_overdue() -> None:
    """Erase candidates whose retention is over, and queue warnings of those to come."""
    now = timezone.now()
    erasure.erase_overdue(now=now)
    erasure_warnings.sweep(now=now)


def warn_of_erasures(organisation_id: str) -> None:
    """Tell an organisation how many candidates the clock will erase."""
    erasure_warnings.warn(organisation_id=int(organisation_id), now=timezone.now())


def count_groups() -> None:
    """Make the reports about self-declared groups that are due."""
    groups.count_due(now=timezone.now())


def complete_erasure(erasure_id: str) -> None:
    """Erase what is left of a candidate, unless that is done."""
    row = Erasure.objects.filter(pk=erasure_id, status=Erasure.Status.WAITING).first()
    if row is None:
        return
    try:
        erasing.erase_keys(row.pending)
        erasure.complete(erasure=row, now=timezone.now())
    except Exception as error:
        erasure.postpone(erasure=row, error=error, now=timezone.now())
        raise


def sweep_erasures() -> None:
    """Queue again all erasures that are under way without a live job. Runs every few seconds."""
    now = timezone.now()
    # One that is postponed for longer than possible: then the clock was set back.
    is_due = Q(retry_at__lte=now) | Q(retry_at__gt=now + 2 * erasure.RETRY)
    waiting = Erasure.objects.filter(is_due, status=Erasure.Status.WAITING).order_by("retry_at")
    queue_again(waiting.values_list("pk"), erasure.completion_job_id, erasure.queue_completion)
