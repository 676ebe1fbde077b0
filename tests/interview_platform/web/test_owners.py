import pytest

from interview_platform.web import owners
from tests import factories
from voice.models import Batch, ClonedVoice

pytestmark = pytest.mark.django_db


def test_what_belonged_to_a_deleted_organisation_or_person_is_erased(clean_redis):
    organisation, gone, user = (
        factories.OrganisationFactory(),
        factories.OrganisationFactory(),
        factories.UserFactory(),
    )
    kept = f"organisation:{organisation.pk}"
    for owner in (kept, f"organisation:{gone.pk}", f"user:{user.pk}"):
        ClonedVoice.objects.create(owner=owner, name="anna", duration_ms=1, has_consent=True)
        Batch.objects.create(owner=owner)
    owners.erase_of_deleted()
    assert Batch.objects.count() == ClonedVoice.objects.count() == 3

    gone.delete()
    user.delete()
    owners.erase_of_deleted()

    assert [row.owner for row in (Batch.objects.get(), ClonedVoice.objects.get())] == [kept, kept]
