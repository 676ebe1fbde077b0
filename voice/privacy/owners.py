"""What belongs to the owners of callers (`voice.callers.Caller.owner`): batches and cloned voices."""

from voice.models import Batch, ClonedVoice
from voice.service import batches
from voice.speech import cloning

BATCHES_AT_ONCE = 100


def all_owners() -> set[str]:
    """Return every owner of a batch or a cloned voice."""
    return {
        owner
        for rows in (Batch.objects.all(), ClonedVoice.objects.all())
        for owner in rows.values_list("owner", flat=True).distinct()
        if owner
    }


def erase(owner: str) -> None:
    """Erase the voices of an owner and up to `BATCHES_AT_ONCE` batches; call it again for the rest."""
    for voice in cloning.voices_of(owner):
        cloning.remove(owner, voice.name)
    for batch in Batch.objects.filter(owner=owner)[:BATCHES_AT_ONCE]:
        batches.delete(batch)
