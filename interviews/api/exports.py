"""REST endpoints of exports: files about many candidates, made by jobs."""

import logging
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from ninja import Router, Status
from ninja.pagination import paginate

from accounts.audit.doors import Kind, about, leaves
from accounts.models import ApiKey
from accounts.rest_keys import WrongScope
from interviews.actions import exports
from interviews.actions.errors import WrongState
from interviews.api import pages, scoping
from interviews.api.schemas import exports as schemas
from interviews.exports import downloads, making
from interviews.models import Export, Invitation
from voice.web import scopes

logger = logging.getLogger(__name__)

FILE = {"type": "string", "format": "binary"}

router = Router()


@router.get("/exports", response={200: list[schemas.ExportOut], **scoping.ERRORS}, summary="List exports")
@paginate(pages.Pages)
@scopes.needs(ApiKey.Scope.EXPORTS_READ)
def list_exports(request: scoping.ApiRequest) -> QuerySet[Export]:
    return _exports(request)


@router.post(
    "/exports",
    response={202: schemas.ExportOut, **scoping.ERRORS},
    summary="Have a file made about many candidates",
)
@scopes.needs(ApiKey.Scope.EXPORTS_WRITE)
def ask_for_export(request: scoping.ApiRequest, payload: schemas.ExportIn) -> Status[Export]:
    """A job makes it. Ask for its `status`, or its `done_count` and `total`; it is kept for a day.

    A copy that you fetched is not erased with its candidates.
    """
    if payload.interview_id is not None:
        scoping.one(scoping.interviews_of_organisation(request), payload.interview_id, "interview")
    _check_scores(request, is_judged=payload.with_scores)
    kind, now = Export.Kind(payload.kind), timezone.now()
    export = exports.ask(
        kind=kind, wanted=payload.wanted(), is_judged=payload.with_scores, by=request.auth, now=now
    )
    return Status(202, export)


@router.get(
    "/exports/{uuid:export_id}",
    response={200: schemas.ExportOut, **scoping.ERRORS},
    summary="How far an export is",
)
@scopes.needs(ApiKey.Scope.EXPORTS_READ)
def read_export(request: scoping.ApiRequest, export_id: UUID) -> Export:
    return scoping.one(_exports(request), export_id, "export")


@router.get(
    "/exports/{uuid:export_id}/file",
    response={200: None, **scoping.ERRORS},
    summary="Fetch the file",
    openapi_extra={"responses": {200: {"content": {"application/octet-stream": {"schema": FILE}}}}},
)
@scopes.needs(ApiKey.Scope.EXPORTS_READ)
@leaves(Kind.EXPORTED)
def fetch_export(request: scoping.ApiRequest, export_id: UUID) -> HttpResponseBase:
    """CSV, XLSX or ZIP; docs/exports.md says what is in it. With scores it needs `scores:read` too."""
    export = scoping.one(_exports(request), export_id, "export")
    if export.status != Export.Status.DONE:
        raise WrongState(f"The export is {export.status}: its file can be fetched once it is done.")
    _check_scores(request, is_judged=export.is_judged)
    about(Invitation.objects.filter(pk__in=export.candidates))
    logger.info("export %s fetched with key %s", export.pk, request.auth.pk)
    return _file(request, export)


def _file(request: HttpRequest, export: Export) -> HttpResponseBase:
    try:
        pieces = making.pieces(export)
    except FileNotFoundError:
        raise Http404("The file was deleted meanwhile.") from None
    name, content_type = making.file_name(export), making.content_type(export)
    response = downloads.streamed(request, pieces, name=name, content_type=content_type)
    response["Content-Length"] = str(export.byte_count)
    response["Cache-Control"] = "private, no-store"
    return response


@router.delete(
    "/exports/{uuid:export_id}",
    response={204: None, **scoping.ERRORS},
    summary="Delete one before it expires",
)
@scopes.needs(ApiKey.Scope.EXPORTS_WRITE)
def delete_export(request: scoping.ApiRequest, export_id: UUID) -> Status[None]:
    exports.delete(export=scoping.one(_exports(request), export_id, "export"))
    return Status(204, None)


def _exports(request: scoping.ApiRequest) -> QuerySet[Export]:
    return Export.objects.filter(organisation=request.auth.organisation)


def _check_scores(request: scoping.ApiRequest, *, is_judged: bool) -> None:
    """Raises WrongScope where scores are asked for with a key that may not read them."""
    if is_judged and ApiKey.Scope.SCORES_READ not in request.auth.granted:
        raise WrongScope(ApiKey.Scope.SCORES_READ)
