from django.apps import AppConfig
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from voice import defaults


class VoiceConfig(AppConfig):
    name = "voice"
    verbose_name = _("Speech")

    def ready(self) -> None:
        """Give every setting that the project leaves out its default."""
        defaults.complete(settings)
