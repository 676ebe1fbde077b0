"""Every HTTP address."""

from django.contrib import admin
from django.urls import include, path
from django_rq.urls import get_admin_urlpatterns

from accounts.access import for_superusers
from interview_platform import health
from interview_platform.api import api, unknown_address
from voice.admin import engines_page

urlpatterns = [
    path("admin/speech-engines/", admin.site.admin_view(engines_page), name="speech-engines"),
    path("admin/", admin.site.urls),
    path("django-rq/", include((get_admin_urlpatterns(view_wrapper=for_superusers), "django_rq"))),
    path("api/", api.urls),
    path("api/<path:rest>", unknown_address),
    path("", include("interviews.urls")),
    path("", include("voice.urls")),
    path("health", health.health),
    path("ready", health.ready),
    path("", include("django_prometheus.urls")),
]
