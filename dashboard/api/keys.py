"""A session's stored keys."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query
from starlette.responses import Response

from ...server.errors import NotFound
from ..deps import CurrentActor, CurrentSwitchroom
from .requests import MAX_SEQ, KeyIn
from .routing import ApiResponse, answer, api_router
from .schemas import KeyOut, KeysOut
from .sessions import SessionPath

router = api_router("keys")

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
    stored = await running.operations.set_key(actor, session_id, name, body.value, if_version=body.if_version)
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
