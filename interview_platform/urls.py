"""Every HTTP address."""

from django.contrib import admin
from django.urls import URLPattern, include, path
from django.views.generic import RedirectView
from django_rq.urls import urlpatterns as rq_pages

from accounts.access import for_superusers
from interview_platform.web import health, metrics, sign_in
from interview_platform.web.api import urls as api_urls
from interview_platform.web.api_errors import unknown_address
from voice.web.engines_page import engines_page

admin.site.index_title = "Overview"

# These pages show jobs of every organisation, and django-rq itself admits all staff.
queue_pages = [
    URLPattern(page.pattern, for_superusers(page.callback), page.default_args, page.name) for page in rq_pages
]

urlpatterns = [  # tried in this order: the most frequent first
    path("", include("interviews.urls")),
    path("", include("voice.urls")),
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/speech-engines/", admin.site.admin_view(engines_page), name="speech-engines"),
    path("admin/login/", sign_in.sign_in),  # under the names that the admin gives these addresses
    path("admin/password_change/", sign_in.change_password),
    path("admin/", admin.site.urls),
    path("django-rq/", include((queue_pages, "django_rq"))),
    path("", api_urls),
    path("api/<path:rest>", unknown_address),
    path("v1/<path:rest>", unknown_address),
    path("health", health.health),
    path("ready", health.ready),
    path("metrics", metrics.metrics, name="metrics"),
]
