"""REST endpoints of the question bank."""

from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from ninja import Query, Router, Schema, Status
from ninja.pagination import paginate

from accounts.models import ApiKey
from interviews.actions import bank
from interviews.actions.errors import BadValue
from interviews.api import conditions, interviews, pages, scoping
from interviews.api.schemas import bank as schemas
from interviews.api.schemas.interviews import InterviewDetailOut
from interviews.models import BankQuestion, Interview
from interviews.queries.bank import matching
from voice.web import scopes

READ, WRITE = ApiKey.Scope.INTERVIEWS_READ, ApiKey.Scope.INTERVIEWS_WRITE
ALL, ONE = "/bank-questions", "/bank-questions/{int:bank_question_id}"
MOST = 2**63 - 1

router = Router()


class BankFilter(Schema):
    language: str | None = None


@router.get(ALL, response={200: list[schemas.BankQuestionOut], **scoping.ERRORS}, summary="List the bank")
@paginate(pages.Pages)
@scopes.needs(READ)
def list_bank_questions(
    request: scoping.ApiRequest, wanted: Query[BankFilter], search: str = ""
) -> QuerySet[BankQuestion]:
    """`search`: each of its words stands in the text, a tag or a competency."""
    return matching(_rows(request).filter(**wanted.dict(exclude_none=True)), search[:200])


@router.post(
    ALL, response={201: schemas.BankQuestionOut, **scoping.ERRORS}, summary="Add a question to the bank"
)
@scopes.needs(WRITE)
def add_bank_question(request: scoping.ApiRequest, payload: schemas.BankQuestionIn) -> Status[BankQuestion]:
    added = bank.add(
        organisation=request.auth.organisation, values=payload.dict(), by=request.auth, now=timezone.now()
    )
    return Status(201, added)


@router.get(ONE, response={200: schemas.BankQuestionOut, **scoping.ERRORS}, summary="Read one")
@scopes.needs(READ)
def read_bank_question(request: scoping.ApiRequest, bank_question_id: int) -> BankQuestion:
    return scoping.one(_rows(request), _checked(bank_question_id), "question of the bank")


@router.patch(ONE, response={200: schemas.BankQuestionOut, **scoping.ERRORS}, summary="Change one")
@scopes.needs(WRITE)
@transaction.atomic
def change_bank_question(
    request: scoping.ApiRequest, bank_question_id: int, payload: schemas.BankQuestionPatch
) -> BankQuestion:
    """Needs If-Match. Copies in interviews stay as they are."""
    question = _locked(request, bank_question_id, is_needed=True)
    return bank.change(
        question=question, values=payload.dict(exclude_unset=True), by=request.auth, now=timezone.now()
    )


@router.delete(ONE, response={204: None, **scoping.ERRORS}, summary="Remove one; copies of it stay")
@scopes.needs(WRITE)
@transaction.atomic
def remove_bank_question(request: scoping.ApiRequest, bank_question_id: int) -> Status[None]:
    bank.remove(question=_locked(request, bank_question_id), by=request.auth, now=timezone.now())
    return Status(204, None)


@router.post(
    "/interviews/{uuid:interview_id}/bank-questions",
    response={201: InterviewDetailOut, **scoping.ERRORS},
    summary="Copy questions of the bank behind those of an interview",
)
@scopes.needs(WRITE)
@transaction.atomic
def pick_bank_questions(
    request: scoping.ApiRequest, interview_id: UUID, payload: schemas.PickIn
) -> Status[Interview]:
    interview = scoping.one(scoping.interviews_of_organisation(request), interview_id, "interview")
    found = _rows(request).in_bulk([each for each in payload.questions if 0 < each <= MOST])
    if len(found) != len(payload.questions):
        raise BadValue("questions: each is one question of your organisation's bank, and stands there once.")
    chosen = [found[each] for each in payload.questions]
    bank.pick(interview=interview, questions=chosen, by=request.auth, now=timezone.now())
    return Status(201, interviews.whole(request, interview_id))


def _rows(request: scoping.ApiRequest) -> QuerySet[BankQuestion]:
    return BankQuestion.objects.filter(organisation=request.auth.organisation)


def _locked(request: scoping.ApiRequest, question_id: int, *, is_needed: bool = False) -> BankQuestion:
    rows = _rows(request).select_for_update(of=("self",), no_key=True)
    question: BankQuestion = scoping.one(rows, _checked(question_id), "question of the bank")
    conditions.check(request, schemas.BankQuestionOut, question, is_needed=is_needed)
    return question


def _checked(question_id: int) -> int:
    """Return an id that the column can hold; 0, which no row has, for others."""
    return question_id if question_id <= MOST else 0
