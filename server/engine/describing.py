"""The public view of a session's record, whether the session is in memory or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..models import Era, Session, SessionRecord, SessionState

if TYPE_CHECKING:
    from .timeouts import Timeouts


def _resting(state: SessionState) -> str:
    """Return the status of a session that is not in memory: one that ends right now is not stored as ended yet."""
    return "idle" if state is SessionState.INITIALIZED else state.value


def describe(
    record: SessionRecord,
    *,
    status: str | None = None,
    in_flight: int = 0,
    open_streams: int = 0,
    expires_at: float | None = None,
    recent: tuple[tuple[int, int], ...] = (),
    version: int = 0,
    groups: tuple[str, ...] = (),
    timeouts: Timeouts | None = None,
) -> Session:
    """Return the public view of a record; the defaults fit one that is not in memory."""
    return Session(
        id=record.id,
        kind=record.kind,
        state=record.state,
        status=status if status is not None else _resting(record.state),
        era=Era.MODERN if record.is_modern else Era.HANDSHAKE,
        server=record.server,
        worker_id=record.worker_id,
        mcp_session_id_prefix=record.sid_prefix,
        protocol_version=record.protocol_version,
        client_name=record.client_name,
        client_version=record.client_version,
        principal=record.principal,
        address=record.address,
        request_count=record.request_count,
        error_count=record.error_count,
        in_flight=in_flight,
        open_streams=open_streams,
        key_count=record.key_count,
        event_count=record.last_seq,
        bytes_in=record.bytes_in,
        bytes_out=record.bytes_out,
        created_at=record.created_at,
        last_activity_at=record.last_activity_at,
        expires_at=expires_at,
        ended_at=record.ended_at,
        end_code=record.end_code,
        end_by=record.end_by,
        end_reason=record.end_reason,
        log_level=record.log_level,
        trimmed_seq=record.trimmed_seq,
        signed_in=record.signed_in if record.state.is_live else None,
        recent=recent,
        idle_seconds=timeouts.idle_seconds if timeouts is not None else None,
        lifetime_seconds=timeouts.lifetime_seconds if timeouts is not None else None,
        idle_from=timeouts.idle_from if timeouts is not None else "",
        lifetime_from=timeouts.lifetime_from if timeouts is not None else "",
        version=version,
        groups=groups,
    )
