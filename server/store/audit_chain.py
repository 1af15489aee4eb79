"""The audit log's chain: every row is signed together with the row before it, and so is the newest row's place.

HMAC-SHA256 with a key kept outside the database, so whoever can edit rows cannot sign them. The head
finds a cut at the end, which a chain alone does not.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable
from typing import NamedTuple

from ..models import AuditEntry
from .base import AuditRecord
from .text import json_text, plain_text

NO_HASH = bytes(32)
"""What the first row is chained to."""


class AuditRow(NamedTuple):
    """One row: the intent or the outcome of an action."""

    id: int
    at: float
    action_id: str
    phase: str
    actor: str
    role: str
    kind: str
    address: str
    action: str
    target: str
    reason: str
    outcome: str
    detail: str
    prev_hash: bytes = NO_HASH
    hash: bytes = NO_HASH


class AuditHead(NamedTuple):
    """Where the chain ends; `mac` signs it."""

    id: int
    hash: bytes
    mac: bytes


class AuditChain:
    """Signs and checks rows with one key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def link(self, row: AuditRow, previous: AuditHead | None, newest_id: int = 0) -> tuple[AuditRow, AuditHead]:
        """Return the row with its number and hashes, and the new head.

        Args:
            newest_id: The highest number present, so that a row somebody slipped in is not in the way.
        """
        head_id, head_hash = (0, NO_HASH) if previous is None else (previous.id, previous.hash)
        row = row._replace(id=max(head_id, newest_id) + 1, prev_hash=head_hash)
        row = row._replace(hash=self._sign(b"row", head_hash + _fields(row)))
        return row, AuditHead(row.id, row.hash, self._sign_head(row.id, row.hash))

    def first_break(self, rows: Iterable[AuditRow], head: AuditHead | None) -> int | None:
        """Return the number of the first row that was changed, removed or added, or `None`.

        Rows come in order of their number. Rows missing at the end are named by the first missing number.
        """
        last_id, last_hash = 0, NO_HASH
        for row in rows:
            if row.id != last_id + 1 or row.prev_hash != last_hash:
                return last_id + 1 if row.id > last_id + 1 else row.id
            if not hmac.compare_digest(row.hash, self._sign(b"row", row.prev_hash + _fields(row))):
                return row.id
            last_id, last_hash = row.id, row.hash
        if head is None:
            return last_id or None
        if not hmac.compare_digest(head.mac, self._sign_head(head.id, head.hash)):
            return last_id + 1
        if head.id == last_id and head.hash == last_hash:
            return None
        return min(last_id, head.id) + 1

    def _sign_head(self, row_id: int, row_hash: bytes) -> bytes:
        return self._sign(b"head", str(row_id).encode() + b":" + row_hash)

    def _sign(self, domain: bytes, message: bytes) -> bytes:
        return hmac.digest(self._key, domain + b"\0" + message, hashlib.sha256)


def new_row(at: float, record: AuditRecord) -> AuditRow:
    """Return a row as it will be kept, without its place in the chain."""
    return AuditRow(
        id=0,
        at=float(at),
        action_id=plain_text(record.action_id),
        phase=record.phase,
        actor=plain_text(record.actor.name),
        role=record.actor.role.value,
        kind=plain_text(record.actor.kind),
        address=plain_text(record.actor.address),
        action=plain_text(record.action),
        target=plain_text(record.target),
        reason=plain_text(record.reason),
        outcome=plain_text(record.outcome),
        detail=json_text(record.detail),
    )


def merge(first: AuditRow, outcome: AuditRow | None) -> AuditEntry:
    """Return an action as it is shown: its first row, with the newest outcome when there is one."""
    last = first if outcome is None else outcome
    return AuditEntry(
        id=first.id,
        action_id=first.action_id,
        at=first.at,
        actor=first.actor,
        role=first.role,
        action=first.action,
        target=first.target,
        reason=first.reason,
        outcome="started" if outcome is None else outcome.outcome,
        detail=last.detail,
        address=first.address,
    )


def _fields(row: AuditRow) -> bytes:
    return json.dumps(row[:-2], ensure_ascii=True, separators=(",", ":")).encode("ascii")
