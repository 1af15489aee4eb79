"""Ended sessions as the filter sees them, and the orders they can be listed in."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ..errors import InvalidInput
from ..models import SessionKind, SessionRecord, SessionState

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


class EndedSession:
    """A record read through the names a filter uses; nothing is open or in flight any more."""

    __slots__ = ("_record",)

    def __init__(self, record: SessionRecord) -> None:
        self._record = record

    @property
    def id(self) -> str:
        return self._record.id

    @property
    def mcp_session_id_prefix(self) -> str:
        return self._record.sid_prefix

    @property
    def kind(self) -> SessionKind:
        return self._record.kind

    @property
    def state(self) -> SessionState:
        return self._record.state

    @property
    def status(self) -> str:
        return self._record.state.value

    @property
    def protocol_version(self) -> str:
        return self._record.protocol_version

    @property
    def client_name(self) -> str:
        return self._record.client_name

    @property
    def client_version(self) -> str:
        return self._record.client_version

    @property
    def principal(self) -> str | None:
        return self._record.principal

    @property
    def server(self) -> str:
        return self._record.server

    @property
    def worker_id(self) -> str:
        return self._record.worker_id

    @property
    def address(self) -> str:
        return self._record.address

    @property
    def request_count(self) -> int:
        return self._record.request_count

    @property
    def error_count(self) -> int:
        return self._record.error_count

    @property
    def in_flight(self) -> int:
        return 0

    @property
    def open_streams(self) -> int:
        return 0

    @property
    def key_count(self) -> int:
        return self._record.key_count

    @property
    def created_at(self) -> float:
        return self._record.created_at

    @property
    def last_activity_at(self) -> float:
        return self._record.last_activity_at
