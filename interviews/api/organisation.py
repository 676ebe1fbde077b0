"""REST endpoints of the settings of the key's organisation."""

from django.conf import settings
from django.db import transaction
from ninja import Router

from accounts import organisations
from accounts.models import ApiKey, Organisation
from interviews.actions.errors import BadValue
from interviews.api import conditions, scoping
from interviews.api.schemas import organisation as schemas
from voice.web import scopes

router = Router()


@router.get(
    "/organisation", response={200: schemas.OrganisationOut, **scoping.ERRORS}, summary="Read the settings"
)
@scopes.needs(ApiKey.Scope.SETTINGS_READ)
def read_organisation(request: scoping.ApiRequest) -> Organisation:
    return request.auth.organisation


@router.patch(
    "/organisation", response={200: schemas.OrganisationOut, **scoping.ERRORS}, summary="Change settings"
)
@scopes.needs(ApiKey.Scope.SETTINGS_WRITE)
@transaction.atomic
def change_organisation(request: scoping.ApiRequest, payload: schemas.OrganisationChanges) -> Organisation:
    """Name and logo are changed in the admin."""
    if payload.is_language_model_used and not settings.LLM_NAME:
        raise BadValue("is_language_model_used: this installation has no language model.")
    locked = Organisation.objects.select_for_update().get(pk=request.auth.organisation_id)
    conditions.check(request, schemas.OrganisationOut, locked, is_needed=True)
    return organisations.change(organisation=locked, **payload.dict(exclude_none=True))
