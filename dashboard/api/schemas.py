"""What the API answers about sessions, events, keys, streams and calls."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from ...server.filters.fields import TRANSPORTS
from ...server.models import Event, EventKind, InFlight, PastKey, ServerEvent, Session, StoredKey, StreamInfo
from .values import members, optional_timestamp, parse_json, parse_request_id, timestamp

Time = str

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


class EventErrorOut(BaseModel):
    """What went wrong."""

    code: int | None = Field(description="JSON-RPC error code; null where a tool reported the error in its result.")
    message: str | None


class EventOut(BaseModel):
    """One row of a session's log."""

    seq: int
    at: Time
    direction: str
    kind: str
    method: str | None
    request_id: str | int | float | None = Field(description='In its JSON type: `5` and `"5"` are two ids.')
    stream: int | None = Field(
        description="0: the standalone stream; a number: the stream of the request with that seq; null: on no wire."
    )
    size_bytes: int = Field(description="Of the whole message, also when the payload was cut.")
    duration_ms: float | None = Field(description="On an answer: time since its request.")
    error: EventErrorOut | None
    related_seq: int | None = Field(description="An answer names its request, a replayed message its original.")
    payload: Any = Field(description="The message as JSON; null when it is not kept whole.")
    payload_truncated: bool = Field(description="Whether the message was cut in the log.")
    payload_text: str | None = Field(description="What is kept of a cut message, else null.")

    @classmethod
    def of(cls, event: Event) -> EventOut:
        payload, is_whole = parse_json(event.payload)
        return cls(
            seq=event.seq,
            at=timestamp(event.at),
            direction=event.direction.value,
            kind=event.kind.value,
            method=event.method,
            request_id=parse_request_id(event.request_id),
            stream=event.stream,
            size_bytes=event.size_bytes,
            duration_ms=None if event.duration_us is None else event.duration_us / 1000,
            error=_error_of(event, payload),
            related_seq=event.related_seq,
            payload=payload,
            payload_truncated=event.payload is not None and not is_whole,
            payload_text=None if is_whole else event.payload,
        )


class ServerEventOut(EventOut):
    """One row in the log of the whole server."""

    id: int = Field(description="Order of appending over all sessions.")
    session_id: str
    client_name: str | None

    @classmethod
    def of_server(cls, logged: ServerEvent) -> ServerEventOut:
        event = dict(EventOut.of(logged.event))
        return cls(id=logged.id, session_id=logged.session_id, client_name=logged.client_name or None, **event)


class ServerEventsOut(BaseModel):
    """One page of the log of the whole server."""

    items: list[ServerEventOut]
    next_cursor: str | None = Field(description="Give it as `cursor` for the next page; null at the oldest event.")
    is_partial: bool = Field(description="Whether the search stopped before the page was full; `next_cursor` goes on.")


class EventsOut(BaseModel):
    """A slice of a log, in ascending `seq` unless `order=desc`."""

    items: list[EventOut]
    next_cursor: str | None = Field(
        description="Give it as `after` (with `order=desc` as `before`) to go on; null when nothing more is there now."
    )
    dropped: int = Field(description="Events directly before the first one that retention has dropped.")


class KeyOut(BaseModel):
    """One stored key."""

    name: str
    value: Any = Field(description="The JSON value; null for a secret.")
    is_secret: bool
    key_id: str | None = Field(description="Which key of the ring a secret is sealed with.")
    version: int
    size_bytes: int
    updated_at: Time
    expires_at: Time | None

    @classmethod
    def of(cls, key: StoredKey) -> KeyOut:
        return cls(
            name=key.name,
            value=parse_json(key.value)[0],
            is_secret=key.value is None,
            key_id=key.key_id,
            version=key.version,
            size_bytes=key.size_bytes,
            updated_at=timestamp(key.updated_at),
            expires_at=optional_timestamp(key.expires_at),
        )


class KeysOut(BaseModel):
    """All stored keys of a session, by name."""

    items: list[KeyOut]


class PastKeyOut(BaseModel):
    """A stored key as it was."""

    name: str
    value: Any = Field(description="The JSON value; null for a secret and where it is not kept any more.")
    is_secret: bool
    is_lost: bool = Field(description="The value is not kept: retention dropped it, or it was too large for the log.")
    version: int | None
    size_bytes: int | None
    set_by_seq: int | None = Field(description="The event that set it.")
    updated_at: Time | None
    expires_at: Time | None

    @classmethod
    def of(cls, key: PastKey) -> PastKeyOut:
        return cls(
            name=key.name,
            value=parse_json(key.value)[0],
            is_secret=key.is_secret,
            is_lost=key.is_lost,
            version=key.version,
            size_bytes=key.size_bytes,
            set_by_seq=key.seq,
            updated_at=optional_timestamp(key.updated_at),
            expires_at=optional_timestamp(key.expires_at),
        )


class PastKeysOut(BaseModel):
    """The stored keys directly after an event."""

    seq: int
    at: Time
    dropped: int = Field(description="Events at the log's beginning that retention dropped; keys may be missing.")
    items: list[PastKeyOut]


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


def _error_of(event: Event, payload: object) -> EventErrorOut | None:
    if event.error_code is None and event.kind is not EventKind.ERROR:
        return None
    message = members(members(payload).get("error")).get("message")
    return EventErrorOut(code=event.error_code or None, message=message if isinstance(message, str) else None)
