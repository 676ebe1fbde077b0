"""Configuring interviews."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from accounts import access
from accounts.carried_organisation import CarriedOrganisationAdmin, CarriedOrganisationForm
from accounts.models import User
from accounts.scoped_admin import ScopedRelatedFilter
from interviews.actions import follow_ups, versions
from interviews.actions.interviews import practice_text, request_speech, speech_name
from interviews.admin import question_audio, vocabulary
from interviews.admin.hold import HoldActions
from interviews.admin.publishing import PublishingActions
from interviews.admin.questions import QuestionInline
from interviews.admin.voice_choice import VoiceField
from interviews.drafting.pages import link_to_draft, origin_of
from interviews.evaluation.agreement_page import AgreementPages
from interviews.evaluation.rubric import RubricInline
from interviews.models import Interview
from interviews.queries import progress, recognition
from interviews.texts import consent
from voice.models import Speech
from voice.speech import rendering


class InterviewForm(CarriedOrganisationForm):
    voice = VoiceField(label=_("Voice"), help_text=_("Who asks the questions. Listen to them after saving."))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "consent_text" not in self.fields:  # a read-only page shows the voice's id
            return
        cast("VoiceField", self.fields["voice"]).keep(self.instance.voice)
        for name in ("practice_question", "introduction", "closing_text"):
            self.fields[name].widget.attrs["rows"] = 2
        self.fields["consent_text"].widget.attrs |= {
            f"data-default-{language}": default for language, default in consent.default_texts().items()
        }

    def clean_deadline(self) -> datetime | None:
        """Refuse a new deadline that is over already."""
        deadline = self.cleaned_data["deadline"]
        if deadline and "deadline" in self.changed_data and deadline <= timezone.now():
            raise forms.ValidationError(_("This time is over. Choose a later one, or none."))
        return deadline

    def clean_vocabulary(self) -> str:
        return vocabulary.cleaned(self.cleaned_data["vocabulary"])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        speaks = cast("VoiceField", self.fields["voice"]).language_of(cleaned.get("voice", ""))
        if speaks and speaks != cleaned.get("language"):
            self.add_error(
                "voice", _("This voice does not speak the interview's language. Choose another one.")
            )
        return cleaned


@admin.register(Interview)
class InterviewAdmin(CarriedOrganisationAdmin, PublishingActions, AgreementPages, HoldActions):
    form = InterviewForm
    inlines = [QuestionInline, RubricInline]
    list_display = [
        *("title", "job_title", "state", "language", "question_count"),
        *("invited", "finished", "created_at"),
    ]
    list_filter = ["status", "language", ("organisation", ScopedRelatedFilter)]
    search_fields = ["title", "job_title"]
    when_empty = _("No interview yet. Write one, and publish it; then candidates can be invited.")
    readonly_fields = [
        "introduction_spoken",
        "practice_spoken",
        "state_in_words",
        "held",
        "drafted",
        "try_terms",
    ]
    actions_detail = [
        *("publish", "invite", "invite_many"),
        {
            "title": _("More"),
            "items": [
                "pick",
                "try_it",
                "see_versions",
                "see_agreement",
                "duplicate",
                "archive",
                "restore",
                "hold",
            ],
        },
    ]
    warn_unsaved_form = True

    class Media:
        js = [
            forms.Script("admin/interviews/listen.js", type="module"),
            forms.Script("admin/interviews/language.js", type="module"),
            forms.Script("admin/interviews/order.js", type="module"),
            vocabulary.SCRIPT,
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Interview]:
        return progress.of_interviews(super().get_queryset(request), cast("User", request.user))

    def get_fieldsets(self, request: HttpRequest, obj: Interview | None = None) -> list:
        about: list = ["title", ("job_title", "language"), "voice"]
        if obj is None:
            about.insert(0, "organisation")
        about.append("deadline")
        practice = ["practice_question", *(["practice_spoken"] if obj else [])]
        texts = [
            "introduction",
            *(["introduction_spoken"] if obj and obj.introduction else []),
            "closing_text",
        ]
        if obj is not None:
            drafted = ["drafted"] if self.has_change_permission(request, obj) and origin_of(obj) else []
            about[:0] = ["state_in_words", *self.held_fields(request, obj), *drafted]
        return [
            (None, {"fields": about, "description": "" if obj else link_to_draft(request.user)}),
            (_("Introduction and closing"), {"fields": texts}),
            (_("Practice question"), {"fields": practice}),
            (_("Taking turns"), {"fields": ["patience", "is_barge_in_allowed"]}),
            (_("Vocabulary"), {"fields": ["vocabulary", "try_terms"]}),
            (_("Consent"), {"fields": ["consent_text", "retention_days", "has_page_facts"]}),
            (_("After the interview"), {"fields": ["is_correcting_allowed"]}),
            *self._of_draft_evaluation(obj),
            (
                _("If something goes wrong"),
                {
                    "fields": ["contact_name", "contact_email", "contact_phone"],
                    "description": _(
                        "Candidates see this contact on every page. Empty: that of the organisation."
                    ),
                },
            ),
        ]

    def _of_draft_evaluation(self, obj: Interview | None) -> list:
        """Without a language model for the organisation there is nothing to switch on."""
        if obj is None or not follow_ups.is_offered(obj.organisation):
            return []
        return [(_("Language model"), {"fields": ["is_evaluation_drafted"]})]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"consent_text": consent.default_text("en"), **super().get_changeform_initial_data(request)}

    def save_model(self, request: HttpRequest, obj: Interview, form: forms.ModelForm, change: bool) -> None:
        if not change:
            obj.created_by = cast("User", request.user)
        if obj.organisation_id is None:  # the user has only one
            obj.organisation = access.organisations(request.user, self.writing_roles).get()
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: forms.ModelForm, formsets: list, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        for row in request_speech(interview=form.instance):
            if row.status == Speech.Status.FAILED:  # saving again is the way to retry
                rendering.retry(row, now=timezone.now())
        self._warn_of_missing_engine(request, form.instance)

    def _warn_of_missing_engine(self, request: HttpRequest, interview: Interview) -> None:
        if recognition.lacks_engine(interview.language):
            messages.warning(
                request,
                _(
                    "No engine for %(language)s: what candidates say will be recorded but not written down "
                    "until such an engine has been added."
                )
                % {"language": interview.get_language_display()},
            )

    @display(
        description=_("status"),
        ordering="status",
        label={"draft": "info", "published": "success", "archived": ""},
    )
    def state(self, interview: Interview) -> tuple[str, str]:
        return interview.status, interview.get_status_display()

    @display(description=_("status"))
    def state_in_words(self, interview: Interview) -> object:
        """Say what candidates get, and whether that is what is written here."""
        number = interview.published and interview.published.number
        if interview.status == Interview.Status.ARCHIVED:
            return _("Archived. Nobody more can be invited.")
        if interview.status == Interview.Status.DRAFT or not number:
            return _("Draft. Publish it to invite candidates.")
        if versions.has_changes(interview):
            return _("Candidates get version %d. What is written here is newer: publish it.") % number
        return _("Published. Candidates get version %d.") % number

    @display(description=_("origin"))
    def drafted(self, interview: Interview) -> str:
        return origin_of(interview)

    @display(description=_("try it"))
    def try_terms(self, interview: Interview) -> str:
        further = interview.shared_vocabulary if interview.organisation_id else ""
        return vocabulary.try_panel("id_vocabulary", further=further)

    @display(description=_("spoken"))
    def introduction_spoken(self, interview: Interview) -> str:
        return question_audio.render(interview, speech_name(interview, interview.introduction))

    @display(description=_("spoken"))
    def practice_spoken(self, interview: Interview) -> str:
        return question_audio.render(interview, speech_name(interview, practice_text(interview)))

    @display(description=_("questions"), ordering="questions_n")
    def question_count(self, interview: Any) -> int:
        return interview.questions_n

    @display(description=_("invited"), ordering="invited_n")
    def invited(self, interview: Any) -> int:
        return interview.invited_n

    @display(description=_("finished"), ordering="finished_n")
    def finished(self, interview: Any) -> int:
        return interview.finished_n

    @action(
        description=_("Invite a candidate"),
        permissions=["change"],
        icon="person_add",
        variant=ActionVariant.PRIMARY,
    )
    def invite(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Redirect to the form; nothing is changed here."""
        interview = self.get_object(request, object_id)
        if interview is not None and interview.status != Interview.Status.PUBLISHED:
            messages.warning(request, _("Publish the interview before inviting candidates."))
            return redirect("admin:interviews_interview_change", object_id)
        if interview is not None:
            self._warn_of_missing_engine(request, interview)
        return redirect(f"{reverse('admin:interviews_invitation_add')}?interview={object_id}")

    def get_urls(self) -> list[URLPattern]:
        spoken = path(
            "<uuid:interview_id>/speech/<slug:key>/",
            self.admin_site.admin_view(self.speech_view),
            name="interviews_interview_speech",
        )
        return [spoken, *super().get_urls()]

    def speech_view(self, request: HttpRequest, interview_id: UUID, key: str) -> HttpResponse:
        """Render the state of one spoken text; the page polls this while the text is synthesised."""
        interview = self.get_object(request, str(interview_id))
        if interview is None or key not in question_audio.keys_of(interview):
            raise Http404
        return HttpResponse(question_audio.render(interview, key, looks=question_audio.looks_of(request)))
