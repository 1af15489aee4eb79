"""What a session's stored keys were at a moment: read back from the log's `key` events."""

from __future__ import annotations

import json
from typing import Any

from ..errors import NotFound
from ..models import Event, EventKind, KeysAt, PastKey, SessionRecord, StoredKey
from ..store.base import EventQuery, Store

_PAGE = 200


async def keys_at(store: Store, record: SessionRecord, seq: int) -> KeysAt:
    """Return the stored keys of a session directly after event `seq`.

    Raises:
        NotFound: The log does not hold that event, or not any more.
    """
    moment = await store.events.get(record.no, seq)
    if moment is None:
        raise NotFound(f"Session {record.id} keeps no event {seq}: what its keys were then cannot be told.")
    found, dropped = await _before(store, record.no, moment)
    if dropped:
        await _add_older(store, record.no, moment, found)
    keys = [key for _, key in sorted(found.items()) if key is not None and not _is_over(key, moment.at)]
    return KeysAt(seq, moment.at, keys, dropped)


async def _before(store: Store, session_no: int, moment: Event) -> tuple[dict[str, PastKey | None], int]:
    """Return what the events up to the moment say, newest first: the last word on each name, `None` for deleted."""
    found: dict[str, PastKey | None] = {}
    before = moment.seq + 1
    while True:
        query = EventQuery(before=before, kinds=(EventKind.KEY,), limit=_PAGE, newest_first=True)
        page = await store.events.read(session_no, query)
        for event in page.events:
            change = _change(event)
            if change.get("change") == "clear":
                return found, 0
            found.setdefault(str(change.get("key", "")), _key(event, change))
        if not page.has_more:
            return found, page.dropped
        before = page.events[-1].seq


async def _add_older(store: Store, session_no: int, moment: Event, found: dict[str, PastKey | None]) -> None:
    """Add the keys whose last change before the moment was dropped: from the next change, or as they still are."""
    after = moment.seq
    changed: set[str] = set()
    while True:
        page = await store.events.read(session_no, EventQuery(after=after, kinds=(EventKind.KEY,), limit=_PAGE))
        for event in page.events:
            change = _change(event)
            name = str(change.get("key", ""))
            if change.get("change") == "clear":
                return  # which took with it what nothing else tells of
            if name not in changed and (change.get("change") in ("delete", "expire") or change.get("version", 1) > 1):
                found.setdefault(name, _told_by(name, change))
            changed.add(name)
        if not page.has_more:
            break
        after = page.events[-1].seq
    for stored in await store.keys.list(session_no):
        if stored.name not in changed and stored.updated_at <= moment.at:
            found.setdefault(stored.name, _as_it_is(stored))


def _change(event: Event) -> dict[str, Any]:
    change: dict[str, Any] = json.loads(event.payload) if event.payload is not None else {}
    return change


def _key(event: Event, change: dict[str, Any]) -> PastKey | None:
    if change.get("change") != "set":
        return None
    is_secret = "key_id" in change
    return PastKey(
        name=str(change["key"]),
        value=json.dumps(change["value"], separators=(",", ":")) if "value" in change else None,
        version=change.get("version"),
        size_bytes=change.get("size_bytes"),
        updated_at=event.at,
        expires_at=change.get("expires_at"),
        is_secret=is_secret,
        seq=event.seq,
        is_lost="value" not in change and not is_secret,
    )


def _told_by(name: str, change: dict[str, Any]) -> PastKey:
    """Return what the next change tells of a key: that it was there, and of which version."""
    version = change["version"] - 1 if change.get("change") == "set" else None
    is_secret = "key_id" in change
    return PastKey(name, None, version, None, None, None, is_secret=is_secret, seq=None, is_lost=True)


def _as_it_is(stored: StoredKey) -> PastKey:
    return PastKey(
        stored.name,
        stored.value,
        stored.version,
        stored.size_bytes,
        stored.updated_at,
        stored.expires_at,
        is_secret=stored.key_id is not None,
        seq=None,
        is_lost=False,
    )


def _is_over(key: PastKey, at: float) -> bool:
    return key.expires_at is not None and key.expires_at <= at
