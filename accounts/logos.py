"""Logos of organisations, kept in object storage under the hash of their content and served from there."""

import hashlib
import re
from typing import Final

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts import images
from accounts.images import BadImage
from accounts.models import Organisation

MAX_BYTES: Final = 512 * 1024
NAME: Final = re.compile(r"[0-9a-f]{64}\.(png|jpeg|webp)")


class BadLogo(ValueError):
    """It can't be a logo. The message says why."""


def checked(content: bytes) -> images.Image:
    """Return the image. Raises BadLogo."""
    if len(content) > MAX_BYTES:
        raise BadLogo(_("The file is too large: at most %d kB.") % (MAX_BYTES // 1024))
    try:
        return images.read(content)
    except BadImage as error:
        limits = {"least": images.MIN_SIDE, "most": images.MAX_SIDE}
        raise BadLogo(
            _("This is no whole PNG, JPEG or WebP image of %(least)d to %(most)d pixels a side.") % limits
        ) from error


@transaction.atomic
def set_logo(*, organisation: Organisation, image: images.Image | None) -> None:
    """Give an organisation this logo, or none. The one before is deleted, unless another has it too."""
    before = organisation.logo
    organisation.logo = _stored(image) if image else ""
    organisation.save(update_fields=["logo"])
    if before and not Organisation.objects.filter(logo=before).exists():
        transaction.on_commit(lambda: default_storage.delete(file_name(before)))


def _stored(image: images.Image) -> str:
    name = f"{hashlib.sha256(image.content).hexdigest()}.{image.kind}"
    if not default_storage.exists(file_name(name)):
        default_storage.save(file_name(name), ContentFile(image.content))
    return name


def file_name(name: str) -> str:
    """Return the name of a logo in object storage."""
    return f"logos/{name}"


def url(organisation: Organisation) -> str:
    """Return the address of an organisation's logo; "" if it has none."""
    return reverse("logo", args=[organisation.logo]) if organisation.logo else ""


@require_safe
def show(request: HttpRequest, name: str) -> HttpResponse:
    """Return a logo. Its address changes with its content, so browsers keep it."""
    if not NAME.fullmatch(name) or not Organisation.objects.filter(logo=name).exists():
        raise Http404
    with default_storage.open(file_name(name)) as file:
        response = HttpResponse(file.read(), content_type=f"image/{name.rpartition('.')[2]}")
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    response["Content-Disposition"] = "inline"
    return response
