from django.apps import AppConfig
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from voice import defaults
from voice.queues import listed_jobs


class VoiceConfig(AppConfig):
    name = "voice"
    verbose_name = _("Speech")

    def ready(self) -> None:
        """Give every setting that the project leaves out its default, and make jobs safe to read."""
        defaults.complete(settings)
        listed_jobs.install()
