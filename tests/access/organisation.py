"""The rows of one organisation, every text of which is a word that appears nowhere else."""

from datetime import timedelta
from typing import Any, NamedTuple

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from accounts.models import ApiKey, ColleagueInvitation, Membership, Organisation, User
from interviews import tokens
from interviews.actions import search_index
from interviews.models import (
    Accommodation,
    Answer,
    Assignment,
    BankQuestion,
    Correction,
    Criterion,
    Decision,
    DraftEvaluation,
    DraftRequest,
    Erasure,
    Exchange,
    Export,
    GroupDeclaration,
    GroupSurvey,
    ImpactReport,
    Interview,
    Invitation,
    InvitationBatch,
    JobDescription,
    LegalHold,
    MailTemplate,
    Mention,
    Message,
    Note,
    Observation,
    OpenLink,
    Scorecard,
    Session,
    Submission,
    Suggestion,
    Vocabulary,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookEvent,
)
from tests import factories
from voice.models import Batch, BatchFile, TranscriptVersion

MARK = "quokka"
"""Part of every text of the organisation, so that its appearance anywhere else is a leak."""


TOLD_TO_NO_ONE = ("wombatkin", "7a1e0000-5a1d-4000-8000-000000000001", "roup declaration")
"""What a candidate said about groups, the id under which it is kept, and that anything was said."""


class Rows(NamedTuple):
    """One row of each kind, all of the same organisation."""

    organisation: Organisation
    user: User
    membership: Membership
    apikey: ApiKey
    colleagueinvitation: ColleagueInvitation
    interview: Interview
    invitation: Invitation
    session: Session
    answer: Answer
    erasure: Erasure
    invitationbatch: InvitationBatch
    jobdescription: JobDescription
    legalhold: LegalHold
    message: Message
    mailtemplate: MailTemplate
    criterion: Criterion
    assignment: Assignment
    scorecard: Scorecard
    submission: Submission
    decision: Decision
    note: Note
    mention: Mention
    openlink: OpenLink
    bankquestion: BankQuestion
    vocabulary: Vocabulary
    groupsurvey: GroupSurvey
    impactreport: ImpactReport
    webhookendpoint: WebhookEndpoint
    webhookdelivery: WebhookDelivery
    export: Export
    batch: Batch
    batch_file: BatchFile

    def of_admin(self, template: str) -> Any:
        """Return the id of the row that `/admin/app/model/{object_id}/` is about."""
        row: Any = getattr(self, template.split("/")[3], self.interview)
        return row.pk


def make() -> Rows:
    """Return new rows."""
    organisation = factories.OrganisationFactory(name=f"{MARK} Ltd", slug=MARK, is_language_model_used=True)
    user = factories.UserFactory(username=f"{MARK}-colleague", last_name=MARK, email=f"{MARK}@example.com")
    interview = factories.InterviewFactory(
        organisation=organisation, title=f"{MARK} keeper", questions=1, questions__text=f"Why {MARK}s?"
    )
    criterion = factories.CriterionFactory(
        interview=interview,
        name=f"Love of {MARK}s",
        meaning=f"{MARK}s",
        levels=[f"no {MARK}", f"all {MARK}s"],
    )
    factories.publish(interview)
    interview.job_title = f"{MARK} keeper, not published yet"
    interview.save()
    invitation = factories.InvitationFactory(
        interview=interview,
        candidate_name=f"Ada {MARK}",
        candidate_email=f"ada@{MARK}.example",
        status=Invitation.Status.STARTED,
    )
    session = factories.SessionFactory(invitation=invitation, status="under_way")
    factories.AnswerFactory(session=session, practice=True, question_text=f"Do you like {MARK}s?")
    answer = factories.AnswerFactory(
        session=session, accepted=True, question_text=f"Why {MARK}s?", transcript=f"because {MARK}s smile"
    )
    Correction.objects.create(
        answer=answer, first_word=0, last_word=0, recognised="because", text=f"{MARK}, because", made_by=user
    )
    TranscriptVersion.objects.create(recording=answer.recording, status="done", text=f"because {MARK}s sleep")
    Observation.objects.create(session=session, kind=Observation.Kind.RECONNECTED)
    Accommodation.objects.create(invitation=invitation, is_written=True)
    declaration = GroupDeclaration(pk=TOLD_TO_NO_ONE[1], invitation=invitation)
    declaration.groups = {f"Which {MARK}s?": TOLD_TO_NO_ONE[0]}
    declaration.save()
    search_index.index(answer_id=answer.pk)
    scorecard = Scorecard.objects.create(session=session, reviewer=user)
    note = Note.objects.create(session=session, author=user, text=f"A {MARK}!", is_shared=True)
    Exchange.objects.create(answer=answer, model="m", sent={"messages": [{"content": f"{MARK}s smile"}]})
    draft = DraftEvaluation.objects.create(session=session, status="done", model=MARK)
    DraftRequest.objects.create(draft=draft, key=MARK, sent={"messages": [{"content": f"{MARK}s smile"}]})
    quotes = [{"number": "1", "text": f"because {MARK}s smile", "start_s": 0}]
    Suggestion.objects.create(
        draft=draft, criterion=criterion.pk, level=2, rationale=f"A {MARK}.", quotes=quotes
    )
    batch = Batch.objects.create(owner=f"organisation:{organisation.pk}")
    endpoint = WebhookEndpoint.objects.create(
        organisation=organisation,
        url=f"https://{MARK}.example/hook",
        events=["decision.made"],
        secret_encrypted=tokens.encrypt(f"whsec_{MARK}"),
    )
    event = WebhookEvent.objects.create(
        organisation=organisation,
        type="decision.made",
        subject=invitation.pk,
        sequence=1,
        data={"invitation_id": f"{MARK} {invitation.pk}"},
    )
    return Rows(
        organisation=organisation,
        user=user,
        membership=factories.MembershipFactory(organisation=organisation, user=user),
        apikey=factories.ApiKeyFactory(organisation=organisation, name=f"{MARK} key"),
        colleagueinvitation=ColleagueInvitation.objects.create(
            organisation=organisation,
            email=f"bea@{MARK}.example",
            token_hash=b"hash",
            expires_at=timezone.now() + timedelta(days=1),
        ),
        interview=interview,
        invitation=invitation,
        session=session,
        answer=answer,
        erasure=Erasure.objects.create(
            interview=interview,
            source=Erasure.Source.RECRUITER,
            invitation_status=Invitation.Status.PENDING,
            invited_on=timezone.localdate(),
        ),
        invitationbatch=InvitationBatch.objects.create(
            interview=interview,
            file_name=f"{MARK}.csv",
            candidates=[(2, f"Bea {MARK}", f"bea@{MARK}.example", None)],
            problems=[(3, f"{MARK}@", f"It is no {MARK}.")],
            total=1,
            expires_at=timezone.now() + timedelta(days=1),
        ),
        jobdescription=JobDescription.objects.create(
            organisation=organisation,
            text=f"We look for a {MARK} keeper. " * 5,
            status=JobDescription.Status.FAILED,
            sent={"messages": [{"content": f"A {MARK} keeper."}]},
            received=f"What do {MARK}s eat?",
            left_out=[(f"How old are your {MARK}s?", "age")],
        ),
        legalhold=LegalHold.objects.create(
            interview=interview,
            invitation=invitation,
            reason=f"{MARK} against {MARK}",
            ended_at=timezone.now(),
        ),
        message=Message.objects.create(invitation=invitation, kind=Message.Kind.INVITATION, last_error=MARK),
        mailtemplate=MailTemplate.objects.create(
            organisation=organisation,
            kind=Message.Kind.INVITATION,
            language="en",
            subject=f"For {MARK}s",
            body=f"Dear {MARK}\n\n{{link}}",
        ),
        criterion=criterion,
        assignment=Assignment.objects.create(session=session, reviewer=user),
        scorecard=scorecard,
        submission=Submission.objects.create(
            scorecard=scorecard, scores={str(criterion.pk): [1, f"no {MARK}"]}, is_blind=True
        ),
        decision=Decision.objects.create(session=session, outcome="hold", reason=f"Is it a {MARK}?"),
        note=note,
        mention=Mention.objects.create(note=note, person=user),
        openlink=OpenLink.objects.create(interview=interview, ends_at=timezone.now() + timedelta(days=1)),
        bankquestion=factories.BankQuestionFactory(
            organisation=organisation, text=f"Who feeds the {MARK}?", tags=MARK
        ),
        vocabulary=Vocabulary.objects.create(
            organisation=organisation, language="en", text=f"{MARK} = kwokka"
        ),
        groupsurvey=GroupSurvey.objects.create(
            organisation=organisation, text=f"Which {MARK}s?\n- {MARK} one\n- {MARK} two"
        ),
        impactreport=ImpactReport.objects.create(
            organisation=organisation,
            first=timezone.localdate(),
            last=timezone.localdate(),
            candidates=50,
            undecided=0,
            tables=[
                {"questions": [f"Which {MARK}s?"], "rows": [[[f"{MARK} one"], [50, 20, 0, 0]]], "others": 0}
            ],
        ),
        webhookendpoint=endpoint,
        webhookdelivery=WebhookDelivery.objects.create(event=event, endpoint=endpoint),
        export=Export.objects.create(
            organisation=organisation,
            kind="candidates_csv",
            status="done",
            storage_name=default_storage.save("exports/one.csv", ContentFile(MARK.encode())),
            byte_count=9,
        ),
        batch=batch,
        batch_file=BatchFile.objects.create(
            batch=batch, position=0, file_name=f"{MARK}.wav", byte_count=9, status="done", text=f"a {MARK}"
        ),
    )
