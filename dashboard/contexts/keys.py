"""The stored keys of a session. A value is on the page only when the operator asked for that one."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from ...server.models import StoredKey
from ..formatting import count, size
from ..highlight import Rendered, render_json
from ..urls import Urls


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One key without its value."""

    name: ClassVar[str] = "stored"
    key: str
    type: str
    size: str
    version: int
    updated_at: float
    expires_at: float | None
    view_url: str
    is_secret: bool
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class KeyValue:
    """The value that was asked for."""

    name: ClassVar[str] = "shown"
    key: str
    size: str
    json: Rendered
    is_secret: bool


@dataclass(frozen=True, slots=True)
class KeyTable:
    """The table; the stream replaces it, and leaves the value beside it alone."""

    template: ClassVar[str] = "sessions/_keys_table.html"
    name: ClassVar[str] = "keyring"
    rows: tuple[KeyRow, ...]
    is_searched: bool


@dataclass(frozen=True, slots=True)
class KeyList:
    """The tab."""

    template: ClassVar[str] = "sessions/_keys.html"
    name: ClassVar[str] = "keys"
    action: str
    search: str
    table: KeyTable
    summary: str
    shown: KeyValue | None


def type_of(stored: StoredKey) -> str:
    """Return the JSON type of a value, or `secret`."""
    if stored.value is None:
        return "secret"
    first = stored.value.lstrip()[:1]
    return {"{": "object", "[": "array", '"': "string", "t": "boolean", "f": "boolean", "n": "null"}.get(
        first, "number"
    )


def make_keys(
    keys: Iterable[StoredKey], urls: Urls, session_id: str, *, search: str, shown: StoredKey | None, max_bytes: int
) -> KeyList:
    """Return the tab; `search` keeps the keys whose name contains it."""
    everything = list(keys)
    listed = [key for key in everything if search.casefold() in key.name.casefold()]
    rows = tuple(
        KeyRow(
            key=key.name,
            type=type_of(key),
            size=size(key.size_bytes),
            version=key.version,
            updated_at=key.updated_at,
            expires_at=key.expires_at,
            view_url=urls.session(session_id, "keys", search=search, view=key.name),
            is_secret=key.value is None,
            is_chosen=shown is not None and key.name == shown.name,
        )
        for key in listed
    )
    total = sum(key.size_bytes for key in everything)
    summary = (
        f"{count(len(everything))} {'key' if len(everything) == 1 else 'keys'}, {size(total)} of {size(max_bytes)}"
    )
    table = KeyTable(rows, bool(search))
    return KeyList(urls.session(session_id, "keys"), search, table, summary, _value(shown) if shown else None)


def _value(stored: StoredKey) -> KeyValue:
    return KeyValue(
        stored.name, size(stored.size_bytes), render_json(stored.value or json.dumps(None)), stored.value is None
    )
