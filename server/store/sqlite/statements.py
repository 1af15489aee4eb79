"""SQL read from the `.sql` files beside this module."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

_HERE = Path(__file__).resolve().parent
_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)
_COMMENT = re.compile(r"^--.*\n", re.MULTILINE)


class Migration(NamedTuple):
    """One step of the schema; `version` is the `user_version` it leaves behind."""

    version: int
    script: str


def read_statements(name: str) -> Mapping[str, str]:
    """Return the statements of `queries/<name>.sql` by their names."""
    text = (_HERE / "queries" / f"{name}.sql").read_text("utf-8")
    _, *parts = _NAME.split(text)
    bodies = (_COMMENT.sub("", body).strip() for body in parts[1::2])
    return MappingProxyType(dict(zip(parts[::2], bodies, strict=True)))


def read_migrations() -> list[Migration]:
    """Return every step of the schema in order."""
    paths = sorted((_HERE / "migrations").glob("*.sql"))
    return [Migration(int(path.name.split("_")[0]), path.read_text("utf-8")) for path in paths]
