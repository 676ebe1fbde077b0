from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class InterviewsConfig(AppConfig):
    name = "interviews"
    verbose_name = _("Interviews")

    def ready(self) -> None:
        from interviews.candidate import metrics  # noqa: F401  registers the metrics
        from interviews.queries import assigned
        from interviews.reactions import accesses, mail, speech  # noqa: F401  connects the receivers

        assigned.limit_access()
        assigned.declare_subjects()
