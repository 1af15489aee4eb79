"""Opaque cursors of keyset paging: the sort value and id of the last item shown."""

from __future__ import annotations

import base64
import json

from ..errors import InvalidInput

Key = tuple[float | int | str, str]


def encode_cursor(sort: str, key: Key) -> str:
    """Return the cursor after `key` in that order."""
    return base64.urlsafe_b64encode(json.dumps([sort, *key]).encode()).decode().rstrip("=")


def decode_cursor(sort: str, cursor: str) -> Key:
    """Return the key of a cursor.

    Raises:
        InvalidInput: It was not issued here, or for another order.
    """
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        issued_for, value, session_id = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, TypeError):
        raise InvalidInput("This cursor was not issued here; start again without it.", field="cursor") from None
    is_text = sort.removeprefix("-") == "client"
    is_fit = isinstance(value, str) if is_text else _is_number(value)
    if issued_for != sort or not is_fit or not (isinstance(session_id, str) and session_id.isascii()):
        raise InvalidInput("This cursor belongs to another order; start again without it.", field="cursor")
    return value, session_id


def _is_number(value: object) -> bool:
    """Whether a store can compare with it: neither a truth value, nor NaN, nor beyond 63 bits."""
    return isinstance(value, int | float) and not isinstance(value, bool) and -(2.0**63) < value < 2.0**63
