"""The router of the REST API of interviews, with one router for each resource and an organisation's keys."""

from ninja import Router

from interviews.api import (
    arrangements,
    candidates,
    erasures,
    exports,
    interviews,
    invitations,
    organisation,
    results,
    sessions,
    webhooks,
)
from interviews.api.scoping import AUTH
from voice.web import intake

router = Router(auth=AUTH, tags=["interviews"])
router.add_decorator(intake.with_allowance, mode="view")
router.add_router("", interviews.router)
router.add_router("", invitations.router)
router.add_router("", arrangements.router)
router.add_router("", sessions.router)
router.add_router("", results.router)
router.add_router("", candidates.router)
router.add_router("", exports.router)
router.add_router("", webhooks.router)
router.add_router("", organisation.router)
router.add_router("", erasures.router)
