"""TOML files that operators write: a file has a model, and an error names the field."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

DEFAULTS = Path(__file__).parent / "defaults"


class BadInput(Exception):
    """A file or an option cannot be used; the message names the field."""


class Inputs(BaseModel):
    """A table of a file. Unknown names are refused: a misspelt field must not keep its default."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


Table = TypeVar("Table", bound=Inputs)


def read(path: Path, model: type[Table], changes: Mapping[str, Any] | None = None) -> Table:
    """Return what a file says.

    changes: values that replace those of the file; a name with a dot is a field of a table.

    Raises:
        BadInput: there is no such file, it is not TOML, or a field is wrong.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: no TOML: {error}") from None
    for name, value in (changes or {}).items():
        _set(tables, name, value)
    return checked(model, tables, where=str(path))


def checked(model: type[Table], tables: Mapping[str, Any], *, where: str) -> Table:
    """Return the tables as the model. Raises BadInput, which names every wrong field."""
    try:
        return model.model_validate(tables)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc'])) or 'the file'}: {fault['msg']}" for fault in error.errors()
        )
        raise BadInput(f"{where}: {faults}") from None


def _set(tables: dict[str, Any], name: str, value: object) -> None:
    *above, last = name.split(".")
    for table in above:
        tables = tables.setdefault(table, {})
    tables[last] = value
