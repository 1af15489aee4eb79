"""What several routes answer about sessions, their streams and their calls."""

from __future__ import annotations

from pydantic import BaseModel, Field

from ...server.filters.fields import TRANSPORTS
from ...server.models import InFlight, Session, StreamInfo
from .values import Time, optional_timestamp, parse_request_id, timestamp

_TRANSPORT_OF = {kind: name for name, kind in TRANSPORTS.items()}


class ClientOut(BaseModel):
    """What the client says of itself; not an identity."""

    name: str | None
    version: str | None


class SessionOut(BaseModel):
    """One session at one moment."""

    id: str = Field(description="Public reference, 13 characters; never the `Mcp-Session-Id`.")
    mcp_session_id_prefix: str | None = Field(description="First eight characters of the `Mcp-Session-Id` or handle.")
    kind: str
    state: str
    activity: str | None = Field(description="`active` or `idle` while the session is initialized, else null.")
    transport: str = Field(description="As in the filter: `http`, `sse`, `stdio` or `handle`.")
    era: str
    protocol_version: str | None
    client: ClientOut
    principal: str | None
    signed_in_as: str | None = Field(description="Who signed in with `secure_login` or a tool like it; null: nobody.")
    signed_in_until: Time | None
    request_count: int
    error_count: int
    in_flight: int
    open_streams: int
    key_count: int
    event_count: int
    created_at: Time
    last_activity_at: Time
    expires_at: Time | None
    idle_seconds: float | None = Field(description="Its idle limit in force; null: none, or it has ended.")
    lifetime_seconds: float | None
    ended_at: Time | None
    end_reason: str | None = Field(description="Why it ended, in words.")
    end_code: str | None = Field(description="`client`, `idle`, `lifetime`, `operator`, `limit`, `refused`, …")
    end_by: str | None = Field(description="The operator who ended it.")
    server: str
    worker_id: str

    @classmethod
    def of(cls, session: Session) -> SessionOut:
        return cls(
            id=session.id,
            mcp_session_id_prefix=session.mcp_session_id_prefix or None,
            kind=session.kind.value,
            state=session.state.value,
            activity=session.status if session.status in ("active", "idle") else None,
            transport=_TRANSPORT_OF.get(session.kind, "http"),
            era=session.era.value,
            protocol_version=session.protocol_version or None,
            client=ClientOut(name=session.client_name or None, version=session.client_version or None),
            principal=session.principal,
            signed_in_as=session.signed_in.user if session.signed_in is not None else None,
            signed_in_until=optional_timestamp(session.signed_in.expires_at if session.signed_in is not None else None),
            request_count=session.request_count,
            error_count=session.error_count,
            in_flight=session.in_flight,
            open_streams=session.open_streams,
            key_count=session.key_count,
            event_count=session.event_count,
            created_at=timestamp(session.created_at),
            last_activity_at=timestamp(session.last_activity_at),
            expires_at=optional_timestamp(session.expires_at),
            idle_seconds=session.idle_seconds,
            lifetime_seconds=session.lifetime_seconds,
            ended_at=optional_timestamp(session.ended_at),
            end_reason=session.end_reason or session.end_code,
            end_code=session.end_code,
            end_by=session.end_by,
            server=session.server,
            worker_id=session.worker_id,
        )


class SessionsOut(BaseModel):
    """One page of sessions."""

    items: list[SessionOut]
    next_cursor: str | None = Field(description="Give it as `cursor` for the next page; null on the last one.")
    total: int = Field(description="How many sessions match in all.")


class ClientsOut(BaseModel):
    """Clients of the 2026-07-28 era that hold no session."""

    items: list[SessionOut]


class StreamOut(BaseModel):
    """A stream that a client holds open now."""

    stream: int
    kind: str
    method: str | None
    opened_at: Time
    sent: int
    last_write_at: Time | None
    resumed_from: int | None
    written_at: Time | None = Field(description="When a write last went through, pings included.")
    blocked_since: Time | None = Field(description="Since when a write waits for a client that does not read.")
    queued: int | None = Field(description="Committed events that wait to be written; null where not known.")
    write_errors: int
    asked_for: list[str] = Field(description="What a listen stream is to be told of: addresses and lists.")

    @classmethod
    def of(cls, stream: StreamInfo) -> StreamOut:
        times = {
            "opened_at": timestamp(stream.opened_at),
            "last_write_at": optional_timestamp(stream.last_write_at),
            "written_at": optional_timestamp(stream.written_at),
            "blocked_since": optional_timestamp(stream.blocked_since),
        }
        return cls.model_validate({**stream._asdict(), **times})


class StreamsOut(BaseModel):
    """A session's open streams."""

    items: list[StreamOut]


class InFlightOut(BaseModel):
    """A request that has not been answered yet."""

    request_id: str | int | float | None
    seq: int
    method: str
    target: str | None
    started_at: Time
    waiting_for_client: bool
    progress: float | None
    total: float | None
    cancelled: bool

    @classmethod
    def of(cls, call: InFlight) -> InFlightOut:
        return cls.model_validate(
            {
                **call._asdict(),
                "request_id": parse_request_id(call.request_id),
                "started_at": timestamp(call.started_at),
            }
        )


class InFlightsOut(BaseModel):
    """A session's unanswered requests."""

    items: list[InFlightOut]
