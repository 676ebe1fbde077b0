"""The router of the REST API of interviews, with one router for each resource and an organisation's keys."""

from ninja import Router

from interviews.api import arrangements, erasures, holds, interviews, invitations, sessions
from interviews.api.scoping import AUTH
from voice.web import intake

router = Router(auth=AUTH, tags=["interviews"])
router.add_decorator(intake.with_allowance, mode="view")
router.add_router("", interviews.router)
router.add_router("", invitations.router)
router.add_router("", arrangements.router)
router.add_router("", sessions.router)
router.add_router("", erasures.router)
router.add_router("", holds.router)
