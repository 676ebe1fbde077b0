"""The question bank: its list and form, and the page on which questions are picked into an interview."""

from collections.abc import Collection
from typing import Any, cast
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.decorators import display
from unfold.views import ChangeList

from accounts import access
from accounts.carried_organisation import CarriedOrganisationAdmin, CarriedOrganisationForm
from accounts.models import User
from accounts.scoped_admin import ScopedRelatedFilter
from interviews.actions import bank
from interviews.actions.errors import ActionRefused
from interviews.admin import question_audio
from interviews.models import BankQuestion, Interview, Question
from interviews.queries import bank as usages
from interviews.texts import tags
from voice.models import Speech
from voice.speech import rendering

OFFERED = 100
"""So many matches are offered at most; a longer list is searched, not read."""


class BankChangeList(ChangeList):
    """A page of the bank, with the usage and the speech of the questions on it."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        usage = usages.usage([question.pk for question in self.result_list], cast("User", request.user))
        addresses = _spoken_addresses(self.result_list)
        for question in self.result_list:
            question.usage, question.address = usage[question.pk], addresses.get(question.pk)


class BankQuestionForm(CarriedOrganisationForm):
    class Meta:
        help_texts = {
            "tags": _("With commas between them: backend, Python, seniors."),
            "competencies": _("What the answer shows: communication, ownership."),
        }

    def clean_tags(self) -> str:
        return tags.tidy(self.cleaned_data["tags"])

    def clean_competencies(self) -> str:
        return tags.tidy(self.cleaned_data["competencies"])


@admin.register(BankQuestion)
class BankQuestionAdmin(CarriedOrganisationAdmin):
    """The questions that an organisation keeps."""

    form = BankQuestionForm
    list_display = [
        *("question", "labels", "language", "in_interviews", "median_answer", "misheard", "listen"),
    ]
    list_filter = ["language", ("organisation", ScopedRelatedFilter)]
    list_per_page = 25
    search_fields = ["text", "tags", "competencies"]
    when_empty = _("Questions to use again. Add one here, or keep one on the page of an interview.")
    readonly_fields = ["spoken"]

    class Media:
        js = [forms.Script("admin/interviews/listen.js", type="module")]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return BankChangeList

    def get_fieldsets(self, request: HttpRequest, obj: BankQuestion | None = None) -> list:
        about = ["text", *(["spoken"] if obj else []), "language", ("tags", "competencies")]
        if obj is None:
            about.insert(0, "organisation")
        times = ["think_seconds", "answer_limit_seconds", "retakes"]
        return [(None, {"fields": about}), (_("A copy begins with"), {"fields": [tuple(times)]})]

    def save_model(
        self, request: HttpRequest, obj: BankQuestion, form: forms.ModelForm, change: bool
    ) -> None:
        if not change:
            obj.created_by = cast("User", request.user)
        if obj.organisation_id is None:  # the user has only one
            obj.organisation = access.organisations(request.user, self.writing_roles).get()
        super().save_model(request, obj, form, change)
        bank.request_speech(question=obj)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path("to/<uuid:interview_id>/", view(self.pick_view), name="interviews_bankquestion_pick"),
            path(
                "keep/<int:question_id>/",
                view(require_POST(self.keep_view)),
                name="interviews_bankquestion_keep",
            ),
            path("<int:object_id>/speech/", view(self.speech_view), name="interviews_bankquestion_speech"),
        ]
        return [*own, *super().get_urls()]

    @display(description=_("question"), ordering="text")
    def question(self, question: BankQuestion) -> str:
        return question.text if len(question.text) <= 120 else f"{question.text[:119]}…"

    @display(description=_("tags and competencies"))
    def labels(self, question: BankQuestion) -> str:
        return ", ".join([*tags.tags(question.tags), *tags.tags(question.competencies)]) or "–"

    @display(description=_("interviews"))
    def in_interviews(self, question: Any) -> int:
        return question.usage.interviews

    @display(description=_("median answer"))
    def median_answer(self, question: Any) -> str:
        usage = question.usage
        return (
            "–"
            if usage.median_s is None
            else _("%(s)d s of %(n)d") % {"s": usage.median_s, "n": usage.answers}
        )

    @display(description=_("misheard"))
    def misheard(self, question: Any) -> str:
        usage = question.usage
        if not usage.spoken:
            return "–"
        counts = _("%(n)d of %(all)d") % {"n": usage.misheard, "all": usage.spoken}
        return f"{counts}: {', '.join(sorted(usage.words))}" if usage.words else counts

    @display(description=_("spoken"))
    def listen(self, question: Any) -> str:
        if not question.address:
            return "–"
        context = {"url": question.address, "name": question.text}
        return render_to_string("admin/interviews/interview/play.html", context)

    @display(description=_("spoken"))
    def spoken(self, question: BankQuestion) -> str:
        return _spoken(question)

    def speech_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Render the state of a question's speech; the page polls this while it is synthesised."""
        question = self.get_object(request, str(object_id))
        if question is None:
            raise Http404
        return HttpResponse(_spoken(question, looks=question_audio.looks_of(request)))

    def pick_view(self, request: HttpRequest, interview_id: UUID) -> HttpResponse:
        """Offer the bank's questions in the interview's language; copy those that are ticked."""
        interview = self._own_interviews(request).filter(pk=interview_id).first()
        if interview is None:
            raise Http404
        offered = self.get_queryset(request).filter(
            organisation=interview.organisation_id, language=interview.language
        )
        if request.method == "POST":
            return self._picked(request, interview, offered)
        wanted, ticked = request.GET.get("q", "")[:200], _ids(request.GET.getlist("question"))
        found = list(usages.matching(offered.exclude(pk__in=ticked), wanted)[: OFFERED + 1])
        shown = [*offered.filter(pk__in=ticked), *found[:OFFERED]]
        usage = usages.usage([question.pk for question in shown], cast("User", request.user))
        addresses = _spoken_addresses(shown)
        is_part = bool(request.headers.get("HX-Request"))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Add from the bank: %s") % interview.title,
            "interview": interview,
            "media": self.media,
            "wanted": wanted,
            "ticked": ticked,
            "is_part": is_part,
            "is_cut": len(found) > OFFERED,
            "present": set(interview.questions.values_list("source", flat=True)),
            "questions": [(each, usage[each.pk], addresses.get(each.pk)) for each in shown],
        }
        template = "results.html" if is_part else "pick.html"
        return TemplateResponse(request, f"admin/interviews/bankquestion/{template}", context)

    def _picked(
        self, request: HttpRequest, interview: Interview, offered: QuerySet[BankQuestion]
    ) -> HttpResponse:
        chosen = list(offered.filter(pk__in=_ids(request.POST.getlist("question"))))
        try:
            copies = bank.pick(interview=interview, questions=chosen, by=request.user, now=timezone.now())
        except ActionRefused as refused:
            messages.error(request, refused.detail)
            return redirect("admin:interviews_bankquestion_pick", interview.pk)
        self.admin_site.get_model_admin(Interview).log_change(
            request, interview, f"Added {len(copies)} questions of the bank."
        )
        messages.success(request, _("%d questions added.") % len(copies))
        return redirect("admin:interviews_interview_change", interview.pk)

    def keep_view(self, request: HttpRequest, question_id: int) -> HttpResponse:
        """Put a question of an interview into the bank; render what stands in place of the button."""
        own = Question.objects.filter(interview__in=self._own_interviews(request))
        question = own.filter(pk=question_id).first()
        if question is None:
            raise Http404
        kept = bank.keep(question=question, by=request.user, now=timezone.now())
        self.log_addition(request, kept, "Kept from an interview.")
        return render(request, "admin/interviews/bankquestion/keep.html", {"question": question})

    def _own_interviews(self, request: HttpRequest) -> QuerySet[Interview]:
        rows = Interview.objects.all()
        return access.scoped(rows, request.user, path="organisation_id", roles=self.writing_roles)


def _spoken_addresses(questions: Collection[BankQuestion]) -> dict[int, str]:
    """Return the addresses at which those of the questions that are spoken are heard, by their ids."""
    names = bank.speech_names(questions)
    ready = set(
        Speech.objects.filter(pk__in=names.values(), status=Speech.Status.READY).values_list("pk", flat=True)
    )
    return {key: rendering.url(name) for key, name in names.items() if name in ready}


def _ids(values: list[str]) -> list[int]:
    return [
        int(value) for value in values[:OFFERED] if value.isascii() and value.isdecimal() and len(value) < 19
    ]


def _spoken(question: BankQuestion, *, looks: int = 0) -> str:
    address = reverse("admin:interviews_bankquestion_speech", args=[question.pk])
    return question_audio.render_at(address, bank.speech_name(question), looks=looks)
