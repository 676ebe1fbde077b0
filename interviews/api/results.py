"""REST endpoints of results: the interviews of candidates by filters, and how they were judged."""

from uuid import UUID

from django.db.models import QuerySet
from ninja import Query, Router
from ninja.pagination import paginate

from accounts.models import ApiKey
from interviews.api import pages, scoping
from interviews.api.schemas import results as schemas
from interviews.api.schemas.sessions import SessionFilter
from interviews.exports import judgement_schema
from interviews.exports.judgement_schema import ExportedEvaluation
from interviews.models import Session
from interviews.queries import blindness, evaluation, results
from voice.web import scopes

router = Router()


@router.get(
    "/sessions",
    response={200: list[schemas.SessionOut], **scoping.ERRORS},
    summary="List candidates' interviews",
)
@paginate(pages.Pages, by=("consented_at",))
@scopes.needs(ApiKey.Scope.RESULTS_READ)
def list_sessions(request: scoping.ApiRequest, wanted: Query[SessionFilter]) -> QuerySet[Session]:
    """Those that began last come first."""
    return results.filtered(scoping.sessions_of_organisation(request), **wanted.dict(exclude_none=True))


@router.get(
    "/sessions/{uuid:session_id}/evaluation",
    response={200: ExportedEvaluation, **scoping.ERRORS},
    summary="Scores and decision",
)
@scopes.needs(ApiKey.Scope.SCORES_READ)
def read_evaluation(request: scoping.ApiRequest, session_id: UUID) -> ExportedEvaluation:
    """What reviewers submitted last, and the decision in force. Drafts and notes are for people."""
    rows = scoping.sessions_of_organisation(request).select_related("invitation__interview", "definition")
    session = scoping.one(rows, session_id, "session")
    return judgement_schema.described(evaluation.shown_to(blindness.PROGRAM, session))
