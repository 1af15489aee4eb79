"""A session's stored keys."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from ...server.errors import NotFound
from ...server.models import Role
from ..confirming import confirm_password
from ..deps import CurrentActor, CurrentSwitchroom
from .requests import MAX_SEQ, KeyExpiryIn, KeyIn, KeyRevelationIn
from .routing import ROLE_KEY, ApiResponse, answer, api_router
from .schemas import KeyOut, KeysOut, PastKeyOut, PastKeysOut
from .sessions import SessionPath
from .values import parse_json, timestamp

router = api_router("keys")


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
