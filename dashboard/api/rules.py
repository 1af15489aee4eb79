"""Groups of sessions, and blocks."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Query
from pydantic import BaseModel, Field

from ...server.directory.rules import BlockInForce
from ...server.models import BlockKind, Group
from ..deps import CurrentActor, CurrentSwitchroom
from ..rule_forms import group_of
from .requests import Body, SessionId
from .routing import ApiResponse, answer, api_router
from .values import PlainText, Reason, optional_timestamp, timestamp

router = api_router("groups and blocks")

_Name = Annotated[str, Path(min_length=1, max_length=64)]
_Server = Annotated[str, Query(max_length=200, description="Where several servers are mounted: which one's.")]
_BlockPath = Annotated[str, Path(min_length=1, max_length=64)]
_MAX_SECONDS = 366 * 24 * 3600


class MemberOut(BaseModel):
    """One member of a group."""

    session_id: str
    joined_at: str


class GroupOut(BaseModel):
    """A group with its members, the longest-standing first."""

    name: str
    server: str
    members: list[MemberOut]

    @classmethod
    def of(cls, group: Group) -> GroupOut:
        members = [MemberOut(session_id=each.session_id, joined_at=timestamp(each.joined_at)) for each in group.members]
        return cls(name=group.name, server=group.server, members=members)


class GroupsOut(BaseModel):
    """Every group there is."""

    items: list[GroupOut]


class RemovalIn(Body):
    """Takes one session out of a group."""

    reason: Reason


class RemovalOut(BaseModel):
    """Whether the session was a member."""

    removed: bool


class BlockIn(Body):
    """Refuses a principal, an address or network, or a client's name."""

    kind: BlockKind = Field(strict=False)
    value: Annotated[PlainText, Field(min_length=1, max_length=256)]
    reason: Reason
    seconds: Annotated[float, Field(ge=1, le=_MAX_SECONDS)] | None = Field(
        default=None, description="How long it holds; without it until it is lifted."
    )
    ends_sessions: bool = Field(default=False, description="Also end the sessions it covers, and close listen streams.")


class BlockOut(BaseModel):
    """A block in force."""

    id: str
    kind: str
    value: str
    reason: str
    created_at: str
    created_by: str
    expires_at: str | None
    refused: int = Field(description="Requests it turned away since the server started.")

    @classmethod
    def of(cls, found: BlockInForce) -> BlockOut:
        return cls.model_validate(_fields(found))


class BlockMadeOut(BlockOut):
    """A block, and what was ended with it."""

    action_id: str
    replaced: bool = Field(description="Whether the same one was there before.")
    expired_count: int
    streams_closed: int


class BlocksOut(BaseModel):
    """Every block in force, the newest first."""

    items: list[BlockOut]


class LiftingIn(Body):
    """Lifts a block."""

    reason: Reason


class ListenClosingIn(Body):
    """Ends every listen stream of a sessionless client."""

    reason: Reason


class ListenClosingOut(BaseModel):
    """How many streams were open."""

    closed: int


@router.get("/groups", response_model=GroupsOut)
async def list_groups(running: CurrentSwitchroom) -> ApiResponse:
    """List the groups by server and name."""
    return answer(GroupsOut(items=[GroupOut.of(group) for group in running.directory.rules.groups()]))


@router.get("/groups/{name}", response_model=GroupOut)
async def show_group(name: _Name, running: CurrentSwitchroom, server: _Server = "") -> ApiResponse:
    """Return one group with its members."""
    return answer(GroupOut.of(group_of(running.directory, name, server)))


@router.post("/groups/{name}/members/{session_id}/removal", response_model=RemovalOut)
async def remove_member(
    name: _Name,
    session_id: SessionId,
    body: RemovalIn,
    actor: CurrentActor,
    running: CurrentSwitchroom,
    server: _Server = "",
) -> ApiResponse:
    """Take a session out of a group. It goes on, and may join again."""
    group = group_of(running.directory, name, server)
    removed = await running.operations.remove_member(actor, group.server, name, session_id, body.reason)
    return answer(RemovalOut(removed=removed))


@router.get("/blocks", response_model=BlocksOut)
async def list_blocks(running: CurrentSwitchroom) -> ApiResponse:
    """List the blocks in force."""
    return answer(BlocksOut(items=[BlockOut.of(each) for each in running.directory.rules.blocks()]))


@router.post("/blocks", status_code=201, response_model=BlockMadeOut)
async def block(body: BlockIn, actor: CurrentActor, running: CurrentSwitchroom) -> ApiResponse:
    """Refuse every request of somebody from now on, in both eras. The same block made again replaces the first."""
    result = await running.operations.block(
        actor, body.kind, body.value, body.reason, seconds=body.seconds, ends_sessions=body.ends_sessions
    )
    ended = result.ended
    made = {
        **_fields(running.directory.rules.block(result.block.id)),
        "action_id": result.action_id,
        "replaced": result.was_replaced,
        "expired_count": len(ended.expired) if ended is not None else 0,
        "streams_closed": result.streams_closed + (ended.streams_closed if ended is not None else 0),
    }
    return answer(BlockMadeOut.model_validate(made), 201)


@router.post("/blocks/{block_id}/lifting", response_model=BlockOut)
async def lift_block(
    block_id: _BlockPath, body: LiftingIn, actor: CurrentActor, running: CurrentSwitchroom
) -> ApiResponse:
    """Lift a block; whom it covered is served again. Returns it as it was."""
    found = running.directory.rules.block(block_id)
    await running.operations.lift_block(actor, block_id, body.reason)
    return answer(BlockOut.of(found))


@router.post("/clients/{client_id}/listen-streams/closing", response_model=ListenClosingOut)
async def close_listen_streams(
    client_id: _BlockPath, body: ListenClosingIn, actor: CurrentActor, running: CurrentSwitchroom
) -> ApiResponse:
    """End every listen stream of a sessionless client; it may listen again."""
    closed = await running.operations.close_listen_streams(actor, client_id, body.reason)
    return answer(ListenClosingOut(closed=closed))


def _fields(found: BlockInForce) -> dict[str, Any]:
    block, hits = found
    return {
        "id": block.id,
        "kind": block.kind.value,
        "value": block.value,
        "reason": block.reason,
        "created_at": timestamp(block.created_at),
        "created_by": block.created_by,
        "expires_at": optional_timestamp(block.expires_at),
        "refused": hits.times,
    }
