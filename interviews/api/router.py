"""The router of the REST API of interviews: one for each resource, with what all operations share."""

from ninja import Router

from accounts.audit import doors
from interviews.api import (
    arrangements,
    bank,
    candidates,
    conditions,
    erasures,
    exports,
    holds,
    idempotency,
    interviews,
    invitations,
    organisation,
    results,
    sessions,
    sparse,
    versions,
    webhooks,
)
from interviews.api.scoping import AUTH
from voice.web import intake

router = Router(auth=AUTH, tags=["interviews"])
for each in (sparse.told, idempotency.keeping_answers, conditions.answered, intake.with_allowance):
    router.add_decorator(each, mode="view")
router.add_decorator(idempotency.answered_before)
router.add_decorator(doors.in_one_transaction)  # the last one is the outermost
router.add_router("", interviews.router)
router.add_router("", versions.router)
router.add_router("", bank.router)
router.add_router("", invitations.router)
router.add_router("", arrangements.router)
router.add_router("", sessions.router)
router.add_router("", results.router)
router.add_router("", candidates.router)
router.add_router("", exports.router)
router.add_router("", webhooks.router)
router.add_router("", organisation.router)
router.add_router("", erasures.router)
router.add_router("", holds.router)
