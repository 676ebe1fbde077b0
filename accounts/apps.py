from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("People and access")

    def ready(self) -> None:
        from accounts.audit import roles, signs  # noqa: F401  registers checks and receivers
        from accounts.sign_on import second_factor  # noqa: F401  connects what follows a sign-in and a new role
