"""A session's record under the names that filters and lists use (`filters.Matchable`)."""

from __future__ import annotations

from .models import SessionKind, SessionRecord, SessionState


class RecordView:
    """Reads a record; what is open or in flight is added by whoever knows of it."""

    __slots__ = ("record",)

    def __init__(self, record: SessionRecord) -> None:
        self.record = record

    @property
    def id(self) -> str:
        return self.record.id

    @property
    def mcp_session_id_prefix(self) -> str:
        return self.record.sid_prefix

    @property
    def kind(self) -> SessionKind:
        return self.record.kind

    @property
    def state(self) -> SessionState:
        return self.record.state

    @property
    def status(self) -> str:
        return self.record.state.value

    @property
    def protocol_version(self) -> str:
        return self.record.protocol_version

    @property
    def client_name(self) -> str:
        return self.record.client_name

    @property
    def client_version(self) -> str:
        return self.record.client_version

    @property
    def principal(self) -> str | None:
        return self.record.principal

    @property
    def server(self) -> str:
        return self.record.server

    @property
    def worker_id(self) -> str:
        return self.record.worker_id

    @property
    def address(self) -> str:
        return self.record.address

    @property
    def request_count(self) -> int:
        return self.record.request_count

    @property
    def error_count(self) -> int:
        return self.record.error_count

    @property
    def in_flight(self) -> int:
        return 0

    @property
    def open_streams(self) -> int:
        return 0

    @property
    def key_count(self) -> int:
        return self.record.key_count

    @property
    def groups(self) -> tuple[str, ...]:
        return ()

    @property
    def created_at(self) -> float:
        return self.record.created_at

    @property
    def last_activity_at(self) -> float:
        return self.record.last_activity_at
