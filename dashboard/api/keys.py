"""A session's stored keys."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from ...server.errors import NotFound
from ...server.models import PastKey, Role, StoredKey
from ..confirming import confirm_password
from ..deps import CurrentActor, CurrentSwitchroom
from .requests import MAX_SEQ, KeyExpiryIn, KeyIn, KeyRevelationIn
from .routing import ROLE_KEY, ApiResponse, answer, api_router
from .sessions import SessionPath
from .values import Time, optional_timestamp, parse_json, timestamp

router = api_router("keys")


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


class KeyRevelationOut(BaseModel):
    """The value of a secret."""

    key: str
    value: Any


class KeyRotationOut(BaseModel):
    """What a rotation did; started again, it goes on where it was stopped."""

    key_id: str = Field(description="The key that everything counted here is sealed with now.")
    values: int
    events: int
    changed: int = Field(description="Changed or removed meanwhile; the new ones are under this key already.")
    unopened: int = Field(description="No key of the ring opens these; they were left as they are.")


SeqPath = Annotated[int, Path(ge=1, le=MAX_SEQ)]
KeyPath = Annotated[str, Path(min_length=1, max_length=1_000, description="The key's name; it may contain slashes.")]


@router.get("/sessions/{session_id}/keys", response_model=KeysOut)
async def list_keys(session_id: SessionPath, running: CurrentSwitchroom) -> ApiResponse:
    """List all keys by name, with their values."""
    return answer(KeysOut(items=[KeyOut.of(key) for key in await running.directory.keys(session_id)]))


@router.get("/sessions/{session_id}/keys/{name:path}", response_model=KeyOut)
async def show_key(session_id: SessionPath, name: KeyPath, running: CurrentSwitchroom) -> ApiResponse:
    """Return one key."""
    return answer(KeyOut.of(await running.directory.key(session_id, name)))


@router.put("/sessions/{session_id}/keys/{name:path}", response_model=KeyOut)
async def set_key(
    session_id: SessionPath, name: KeyPath, body: KeyIn, actor: CurrentActor, running: CurrentSwitchroom
) -> ApiResponse:
    """Store a value; the session's tools see it at once."""
    await running.directory.session(session_id)
    stored = await running.operations.set_key(
        actor, session_id, name, body.value, if_version=body.if_version, secret=body.secret
    )
    return answer(KeyOut.of(stored))


@router.delete("/sessions/{session_id}/keys/{name:path}", status_code=204)
async def delete_key(
    session_id: SessionPath,
    name: KeyPath,
    actor: CurrentActor,
    running: CurrentSwitchroom,
    if_version: Annotated[int | None, Query(ge=1, le=MAX_SEQ)] = None,
) -> Response:
    """Delete a key."""
    await running.directory.session(session_id)
    if not await running.operations.delete_key(actor, session_id, name, if_version=if_version):
        raise NotFound(f"Session {session_id} holds no key {name!r}.")
    return Response(status_code=204)


@router.get("/sessions/{session_id}/events/{seq}/keys", response_model=PastKeysOut)
async def show_past_keys(session_id: SessionPath, seq: SeqPath, running: CurrentSwitchroom) -> ApiResponse:
    """Return what the stored keys were directly after an event; secrets without their value."""
    past = await running.directory.keys_at(session_id, seq)
    items = [PastKeyOut.of(key) for key in past.keys]
    return answer(PastKeysOut(seq=past.seq, at=timestamp(past.at), dropped=past.dropped, items=items))


@router.post("/sessions/{session_id}/key-expiries", response_model=KeyOut)
async def set_key_ttl(
    session_id: SessionPath, body: KeyExpiryIn, actor: CurrentActor, running: CurrentSwitchroom
) -> ApiResponse:
    """Let a key vanish some seconds from now, or keep it as long as its session."""
    await running.directory.session(session_id)
    stored = await running.operations.set_key_ttl(
        actor, session_id, body.key, body.ttl_seconds, if_version=body.if_version
    )
    return answer(KeyOut.of(stored))


@router.post(
    "/sessions/{session_id}/key-revelations",
    response_model=KeyRevelationOut,
    openapi_extra={ROLE_KEY: Role.ADMIN.value},
)
async def reveal_key(
    request: Request, session_id: SessionPath, body: KeyRevelationIn, actor: CurrentActor, running: CurrentSwitchroom
) -> ApiResponse:
    """Return the value of a secret to an admin who gives their password again. Every attempt is in the audit log."""
    await running.directory.session(session_id)
    target = f"{session_id} {body.key}"
    await confirm_password(request, actor, body.password, action="reveal_key", target=target, operator=body.operator)
    value = await running.operations.reveal_key(actor, session_id, body.key, event_seq=body.event_seq)
    return answer(KeyRevelationOut(key=body.key, value=parse_json(value)[0]))


@router.post("/key-rotations", response_model=KeyRotationOut, openapi_extra={ROLE_KEY: Role.ADMIN.value})
async def rotate_keys(actor: CurrentActor, running: CurrentSwitchroom) -> ApiResponse:
    """Seal every secret again under the newest key of the ring."""
    return answer(KeyRotationOut(**(await running.operations.rotate_keys(actor))._asdict()))
