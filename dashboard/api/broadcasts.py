"""Broadcasts: one message to many, with a receipt for each."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query
from pydantic import BaseModel, Field

from ...server.filters import parse_filter
from ...server.models import Broadcast, DeliveryStatus, Receipt
from ..deps import CurrentActor, CurrentSwitchroom
from .requests import BroadcastIn
from .routing import ApiResponse, answer, api_router
from .values import timestamp

router = api_router("broadcasts")


class BroadcastOut(BaseModel):
    """A broadcast with its figures as they stand; they add up to the audience."""

    id: str
    status: str = Field(description="`sending`, `done` or `stopped`.")
    audience: int
    delivered: int = Field(description="Written to an open stream; MCP has no read receipts.")
    queued: int
    not_listening: int
    below_level: int
    skipped: int
    failed: int
    pending: int
    text: str
    level: str
    filter: str
    exclude: str
    method: str
    logger: str
    is_json: bool
    is_queued: bool
    is_trial: bool
    group: str = Field(description="Of the members whose tool sent it; empty for an operator's.")
    sender: str | None = Field(description="The session that sent it with a tool.")
    actor: str
    created_at: str
    expires_at: str = Field(description="A queued message is dropped after this time.")
    idempotency_key: str | None

    @classmethod
    def of(cls, broadcast: Broadcast) -> BroadcastOut:
        return cls.model_validate(broadcast_fields(broadcast))


class ReceiptOut(BaseModel):
    """The outcome for one session or sessionless client."""

    session_id: str
    client: str = Field(description="Its name when the broadcast began; empty where it was not known.")
    status: str
    at: str
    reason: str | None
    seq: int | None = Field(description="Of the message in the session's log.")

    @classmethod
    def of(cls, receipt: Receipt) -> ReceiptOut:
        return cls(
            session_id=receipt.session_id,
            client=receipt.client,
            status=receipt.status.value,
            at=timestamp(receipt.at),
            reason=receipt.reason,
            seq=receipt.seq,
        )


class BroadcastDetailOut(BroadcastOut):
    """A broadcast with a receipt for each recipient."""

    receipts: list[ReceiptOut]
    next_cursor: str | None = Field(description="Give it as `after` for more receipts; null on the last page.")


class BroadcastsOut(BaseModel):
    """One page of broadcasts, newest first."""

    items: list[BroadcastOut]
    next_cursor: str | None = Field(description="Give it as `cursor` for the next page; null on the last one.")


_BroadcastPath = Annotated[str, Path(min_length=1, max_length=64)]
_Cursor = Annotated[str, Query(max_length=64)]


@router.post("/broadcasts", status_code=201, response_model=BroadcastOut)
async def send_broadcast(body: BroadcastIn, actor: CurrentActor, running: CurrentSwitchroom) -> ApiResponse:
    """Start to send a message and answer at once; ask for the broadcast to see its figures grow."""
    broadcast = await running.operations.broadcast(
        actor,
        text=body.text,
        level=body.level,
        method=body.method,
        logger=body.logger,
        is_json=body.is_json,
        is_queued=body.is_queued,
        query=parse_filter(body.filter or ""),
        exclude=parse_filter(body.exclude or ""),
        session_ids=body.session_ids,
        idempotency_key=body.idempotency_key,
        ttl_seconds=body.ttl_seconds,
    )
    return answer(BroadcastOut.of(broadcast), 201)


@router.get("/broadcasts", response_model=BroadcastsOut)
async def list_broadcasts(
    running: CurrentSwitchroom,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: _Cursor | None = None,
) -> ApiResponse:
    """List broadcasts, newest first."""
    found = await running.directory.broadcasts(limit=limit + 1, before=cursor)
    shown = found[:limit]
    next_cursor = shown[-1].id if len(found) > limit else None
    return answer(BroadcastsOut(items=[BroadcastOut.of(each) for each in shown], next_cursor=next_cursor))


@router.get("/broadcasts/{broadcast_id}", response_model=BroadcastDetailOut)
async def show_broadcast(
    broadcast_id: _BroadcastPath,
    running: CurrentSwitchroom,
    status: Annotated[DeliveryStatus | None, Query(description="Only receipts of this status.")] = None,
    limit: Annotated[int, Query(ge=1, le=1_000, description="Receipts, at most.")] = 1_000,
    after: Annotated[_Cursor, Query(description="Receipts after this session id.")] = "",
) -> ApiResponse:
    """Return a broadcast with its figures as they stand, and a receipt for each recipient."""
    broadcast = await running.directory.broadcast(broadcast_id)
    found = await running.directory.receipts(broadcast_id, status=status, limit=limit, after=after)
    detail = BroadcastDetailOut.model_validate(
        {
            **broadcast_fields(broadcast),
            "receipts": [ReceiptOut.of(receipt) for receipt in found],
            "next_cursor": found[-1].session_id if len(found) == limit else None,
        }
    )
    return answer(detail)


@router.post("/broadcasts/{broadcast_id}/stop", response_model=BroadcastOut)
async def stop_broadcast(broadcast_id: _BroadcastPath, actor: CurrentActor, running: CurrentSwitchroom) -> ApiResponse:
    """Stop sending. What was sent is not unsent."""
    return answer(BroadcastOut.of(await running.operations.stop_broadcast(actor, broadcast_id)))


def broadcast_fields(broadcast: Broadcast) -> dict[str, object]:
    """Return the members of `BroadcastOut`."""
    return {
        "id": broadcast.id,
        "status": broadcast.status,
        "audience": broadcast.audience,
        **{status.value: broadcast.counts.get(status.value, 0) for status in DeliveryStatus},
        "text": broadcast.text,
        "level": broadcast.level,
        "filter": broadcast.filter,
        "exclude": broadcast.exclude,
        "method": broadcast.method,
        "logger": broadcast.logger,
        "is_json": broadcast.is_json,
        "is_queued": broadcast.is_queued,
        "is_trial": broadcast.is_trial,
        "group": broadcast.group,
        "sender": broadcast.sender,
        "actor": broadcast.actor,
        "created_at": timestamp(broadcast.created_at),
        "expires_at": timestamp(broadcast.expires_at),
        "idempotency_key": broadcast.idempotency_key,
    }
