"""Ended sessions as the filter sees them, and the orders they can be listed in."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ..errors import InvalidInput
from ..recordview import RecordView

SORT_ATTRIBUTES: Mapping[str, str] = MappingProxyType(
    {
        "last_seen": "last_activity_at",
        "created": "created_at",
        "requests": "request_count",
        "errors": "error_count",
        "client": "client_name",
        "keys": "key_count",
    }
)
"""Sort names and the attribute of a record that each one reads."""


def parse_sort(sort: str) -> tuple[str, bool]:
    """Return the attribute to sort by and whether the order is descending.

    Raises:
        InvalidInput: There is no such order.
    """
    name = sort.removeprefix("-")
    if name not in SORT_ATTRIBUTES:
        raise InvalidInput(f'Cannot sort by "{sort[:40]}": use one of {", ".join(SORT_ATTRIBUTES)}, with - to reverse.')
    return SORT_ATTRIBUTES[name], sort.startswith("-")


class EndedSession(RecordView):
    """A record read through the names a filter uses; nothing is open or in flight any more."""

    __slots__ = ()
