"""What owners set for their organisation."""

from typing import Any

from accounts.models import Organisation


def change(*, organisation: Organisation, **values: Any) -> Organisation:
    """Change the fields that are given. Whoever calls has checked the values."""
    for name, value in values.items():
        setattr(organisation, name, value)
    organisation.save(update_fields=list(values))
    return organisation
