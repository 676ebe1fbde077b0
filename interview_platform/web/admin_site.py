"""The admin: django-unfold's, which prepares less for each page. Processes without pages do not load it."""

import sys
from typing import Any

from django.contrib import admin
from django.contrib.admin.apps import SimpleAdminConfig
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from unfold.sites import UnfoldAdminSite

WITHOUT_PAGES = ("voiceworker", "rqcron")
"""Commands that show no page. Without the pages and their forms they start 0.25 s of processor earlier."""


class AdminConfig(SimpleAdminConfig):
    """Loads the pages of each app at the start. A command of WITHOUT_PAGES loads them with the addresses."""

    default_site = "interview_platform.web.admin_site.Site"

    def ready(self) -> None:
        super().ready()
        if sys.argv[1:2] not in [[command] for command in WITHOUT_PAGES]:
            admin.autodiscover()


class Site(UnfoldAdminSite):
    """The site of all pages."""

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> Any:
        """Return what Django does, made when it is read: most pages show our side bar instead of it.

        Django asks every admin page for the user's permissions there, a tenth of the time of a page.
        """
        return SimpleLazyObject(lambda: super(Site, self).get_app_list(request, app_label))
