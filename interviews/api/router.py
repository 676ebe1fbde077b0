"""The REST API of interviews: one router for each resource, behind API keys of an organisation."""

from ninja import Router

from interviews.api import interviews, invitations, sessions
from interviews.api.scoping import AUTH

router = Router(auth=AUTH, tags=["interviews"])
router.add_router("", interviews.router)
router.add_router("", invitations.router)
router.add_router("", sessions.router)
