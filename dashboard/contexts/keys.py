"""The stored keys of a session. A value is on the page only when the operator asked for that one."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from ...server.models import StoredKey
from ..formatting import count, size
from ..highlight import Rendered, render_json
from ..urls import Urls
from .dialogs import Toast


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
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class KeyValue:
    """The value that was asked for."""

    name: ClassVar[str] = "shown"
    key: str
    size: str
    version: int
    json: Rendered
    key_id: str
    """The key of the ring that a secret is sealed with; empty for a plain value."""
    can_act: bool
    edit_url: str
    expiry_url: str
    deletion_url: str
    reveal_url: str
    """Empty where the operator may not see secrets."""


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
    add_url: str
    """Empty where nothing may be changed."""
    shown: KeyValue | None


@dataclass(frozen=True, slots=True)
class KeysChanged:
    """What an action did, and the tab as it is now."""

    template: ClassVar[str] = "sessions/_keys_changed.html"
    name: ClassVar[str] = "keys_changed"
    toast: Toast
    keys: KeyList


class KeyRights(NamedTuple):
    """What the operator may do to the keys of a session."""

    can_act: bool = False
    can_reveal: bool = False


def type_of(stored: StoredKey) -> str:
    """Return the JSON type of a value, or that it is a secret, and of which key."""
    if stored.value is None:
        return f"secret, key {stored.key_id}"
    first = stored.value.lstrip()[:1]
    return {"{": "object", "[": "array", '"': "string", "t": "boolean", "f": "boolean", "n": "null"}.get(
        first, "number"
    )


def make_keys(
    keys: Iterable[StoredKey],
    urls: Urls,
    session_id: str,
    *,
    search: str,
    shown: StoredKey | None,
    max_bytes: int,
    rights: KeyRights,
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
            is_chosen=shown is not None and key.name == shown.name,
        )
        for key in listed
    )
    total = sum(key.size_bytes for key in everything)
    summary = (
        f"{count(len(everything))} {'key' if len(everything) == 1 else 'keys'}, {size(total)} of {size(max_bytes)}"
    )
    table = KeyTable(rows, bool(search))
    return KeyList(
        action=urls.session(session_id, "keys"),
        search=search,
        table=table,
        summary=summary,
        add_url=urls.key_form(session_id, "new") if rights.can_act else "",
        shown=_value(shown, urls, session_id, rights) if shown else None,
    )


def _value(stored: StoredKey, urls: Urls, session_id: str, rights: KeyRights) -> KeyValue:
    return KeyValue(
        key=stored.name,
        size=size(stored.size_bytes),
        version=stored.version,
        json=render_json(stored.value or json.dumps(None)),
        key_id=stored.key_id or "",
        can_act=rights.can_act,
        edit_url=urls.key_form(session_id, "value", key=stored.name),
        expiry_url=urls.key_form(session_id, "expiry", key=stored.name),
        deletion_url=urls.key_form(session_id, "deletion", key=stored.name),
        reveal_url=urls.key_form(session_id, "revelation", key=stored.name) if rights.can_reveal else "",
    )
