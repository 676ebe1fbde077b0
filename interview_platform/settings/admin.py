"""The recruiters' pages: their look and their menu."""

from django.templatetags.static import static
from django.utils.translation import gettext_lazy as _

LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
UNFOLD = {
    "SITE_TITLE": _("Interviews"),
    "SITE_HEADER": _("Interview platform"),
    "SITE_SYMBOL": "graphic_eq",
    "SITE_URL": None,
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("interviews/icon.svg")}
    ],
    "SHOW_VIEW_ON_SITE": False,
    # The accent colour of the candidate's pages. 600 is readable on white, 500 on the dark background.
    "COLORS": {
        "primary": {
            "50": "oklch(97.5% .012 182)",
            "100": "oklch(94% .026 182)",
            "200": "oklch(88% .045 182)",
            "300": "oklch(81% .065 182)",
            "400": "oklch(74% .08 182)",
            "500": "oklch(70% .085 182)",
            "600": "oklch(46.6% .076 182)",
            "700": "oklch(41% .068 182)",
            "800": "oklch(35% .057 182)",
            "900": "oklch(30% .048 182)",
            "950": "oklch(22% .035 182)",
        }
    },
    "STYLES": [lambda request: static("admin/interviews/admin.css")],
    "SCRIPTS": [
        lambda request: static("admin/interviews/copy.js"),
        lambda request: static("admin/interviews/theme.js"),
    ],
    "SIDEBAR": {"navigation": "interview_platform.web.admin_menu.navigation"},
    "ACCOUNT": {"navigation": "interview_platform.web.admin_menu.own_pages"},
    "DASHBOARD_CALLBACK": "interview_platform.web.front_page.front_page",
}
