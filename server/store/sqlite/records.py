"""Session records and events as rows and back."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from ...models import Direction, EndedId, Event, EventKind, SessionKind, SessionRecord, SessionState, SignedIn
from ..text import json_text, plain_text, shared
from .items import SessionRow
from .statements import read_statements

COLUMNS = (
    "no, sref, kind, state, server, worker, created, last_activity, sid_hash, sid_prefix, epoch, epochs, principal, "
    "principal_key, client, client_version, protocol, address, init, is_initialized, ended, end_code, end_by, "
    "end_reason, requests, errors, keys, bytes_in, bytes_out, trimmed_seq, delivered_seq, log_level, idle_seconds, "
    "lifetime_seconds, signed_in, history"
)

_DIRECTIONS: Mapping[str, Direction] = MappingProxyType({direction.value: direction for direction in Direction})
_KINDS: Mapping[str, EventKind] = MappingProxyType({kind.value: kind for kind in EventKind})

_SET_BY_HAND = ("no", "trimmed_seq")


def save_statement() -> str:
    """Return the statement that inserts or replaces one row of `to_row`."""
    names = COLUMNS.split(", ")
    updates = ", ".join(f"{name} = excluded.{name}" for name in names if name not in _SET_BY_HAND)
    places = ", ".join("?" * len(names))
    return read_statements("session")["save"].format(columns=COLUMNS, places=places, updates=updates)


def to_row(record: SessionRecord) -> SessionRow:
    """Return the record's present values in the order of `COLUMNS`."""
    return (
        record.no,
        record.id,
        record.kind.value,
        record.state.value,
        plain_text(record.server),
        plain_text(record.worker_id),
        record.created_at,
        record.last_activity_at,
        record.sid_hash,
        plain_text(record.sid_prefix),
        record.epoch,
        json.dumps(record.epochs),
        plain_text(record.principal),
        plain_text(record.principal_key),
        plain_text(record.client_name),
        plain_text(record.client_version),
        plain_text(record.protocol_version),
        plain_text(record.address),
        json_text(record.init),
        int(record.is_initialized),
        record.ended_at,
        plain_text(record.end_code),
        plain_text(record.end_by),
        plain_text(record.end_reason),
        record.request_count,
        record.error_count,
        record.key_count,
        record.bytes_in,
        record.bytes_out,
        record.trimmed_seq,
        record.delivered_seq,
        plain_text(record.log_level),
        record.idle_seconds,
        record.lifetime_seconds,
        json.dumps(record.signed_in) if record.signed_in is not None else None,
        json_text(record.history),
    )


def to_record(row: Sequence[Any], *, last_seq: int, key_count: int | None = None) -> SessionRecord:
    """Return the record of a row that begins with `COLUMNS`.

    Args:
        last_seq: Where its log really ends.
        key_count: How many keys it really has; `None` takes the row's word.
    """
    return SessionRecord(
        no=row[0],
        id=row[1],
        kind=SessionKind(row[2]),
        state=SessionState(row[3]),
        server=sys.intern(row[4]),
        worker_id=sys.intern(row[5]),
        created_at=row[6],
        last_activity_at=row[7],
        sid_hash=row[8],
        sid_prefix=row[9],
        epoch=row[10],
        epochs=[(epoch, seq) for epoch, seq in json.loads(row[11])],
        principal=shared(row[12]),
        principal_key=shared(row[13]),
        client_name=sys.intern(row[14]),
        client_version=sys.intern(row[15]),
        protocol_version=sys.intern(row[16]),
        address=sys.intern(row[17]),
        init=shared(row[18]),
        is_initialized=bool(row[19]),
        ended_at=row[20],
        end_code=row[21],
        end_by=row[22],
        end_reason=row[23],
        request_count=row[24],
        error_count=row[25],
        key_count=row[26] if key_count is None else key_count,
        bytes_in=row[27],
        bytes_out=row[28],
        last_seq=last_seq,
        trimmed_seq=row[29],
        delivered_seq=row[30],
        log_level=row[31],
        idle_seconds=row[32],
        lifetime_seconds=row[33],
        signed_in=SignedIn(*json.loads(row[34])) if row[34] is not None else None,
        history=row[35],
    )


def to_ended_id(row: Sequence[Any]) -> EndedId:
    """Return what the `remembered` statement found."""
    sid_hash, reference, kind, state, *others = row
    return EndedId(sid_hash, reference, SessionKind(kind), SessionState(state), *others)


def to_event(row: tuple[Any, ...]) -> Event:
    """Return the event of a row of `log.sql`, read in the order of its fields."""
    seq, epoch, at, direction, kind, *rest = row
    return Event(seq, epoch, at, _DIRECTIONS[direction], _KINDS[kind], *rest)
