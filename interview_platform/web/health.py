"""/health: this process answers. /ready: it can serve candidates; /ready?all: everything works."""

import asyncio

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from interview_platform.server.drain import is_draining
from voice.monitoring import readiness

NEEDED = ("postgresql", "redis")
"""Without these nobody can be served. Without the others interviews go on, and what waits is done later: no
web process leaves its load balancer because object storage is away or no worker is warm."""


@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """200 as long as the process can answer at all."""
    return JsonResponse({"status": "ok"})


@require_safe
async def ready(request: HttpRequest) -> JsonResponse:
    """200 when this process can serve candidates, else 503; either way each part with "ok" or what is wrong.

    A process that leaves (drain.py) is not ready. With `?all` 200 only when every part works: object storage
    and an engine of each kind, too.
    """
    parts = await asyncio.to_thread(readiness.states, {**readiness.STORES, **readiness.ENGINES})
    needed = parts if "all" in request.GET else NEEDED
    is_ready = all(parts[name] == "ok" for name in needed) and not is_draining()
    return JsonResponse({"ready": is_ready, "parts": parts}, status=200 if is_ready else 503)
