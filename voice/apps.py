from django.apps import AppConfig
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from voice import defaults, metrics
from voice.infra import tracing
from voice.queues import listed_jobs


class VoiceConfig(AppConfig):
    name = "voice"
    verbose_name = _("Speech")

    def ready(self) -> None:
        """Give every setting that the project leaves out its default, make jobs safe to read, and trace."""
        defaults.complete(settings)
        listed_jobs.install()
        tracing.install()
        metrics.TracedHistogram.trace_id = staticmethod(tracing.trace_id)
