"""Broadcasts: one message to many, with a receipt for each."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query

from ...server.filters import parse_filter
from ...server.models import DeliveryStatus
from ..deps import CurrentActor, CurrentSwitchroom
from .requests import BroadcastIn
from .results import BroadcastDetailOut, BroadcastOut, BroadcastsOut, ReceiptOut, broadcast_fields
from .routing import ApiResponse, answer, api_router

router = api_router("broadcasts")

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
