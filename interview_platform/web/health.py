"""/health: this process responds. /ready: it can serve candidates. /ready?all: everything works."""

import asyncio

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from interview_platform.server.drain import is_draining
from voice.monitoring import readiness

NEEDED = ("postgresql", "redis")
"""The stores that every candidate needs. Without the other parts interviews go on and delayed work is done
later, so a web process stays in its load balancer without object storage or a warm worker."""


@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """Reply 200 as long as the process responds at all."""
    return JsonResponse({"status": "ok"})


@require_safe
async def ready(request: HttpRequest) -> JsonResponse:
    """Reply 200 if this process can serve candidates, else 503, with "ok" or the problem for each part.

    A draining process (drain.py) is not ready. With `?all` every part must work, including object storage and
    an engine of each kind.
    """
    parts = await asyncio.to_thread(readiness.states, {**readiness.STORES, **readiness.ENGINES})
    needed = parts if "all" in request.GET else NEEDED
    is_ready = all(parts[name] == "ok" for name in needed) and not is_draining()
    return JsonResponse({"ready": is_ready, "parts": parts}, status=200 if is_ready else 503)
