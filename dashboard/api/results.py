"""What the API answers about actions: expirations, replays, cancellations, broadcasts, the audit log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, Field

from ...server.models import AuditEntry, Broadcast, DeliveryStatus, ErrorGroup, HeldResource, Receipt
from ...server.operations import CancelResult, ExpireResult, Job, ReplayResult
from .values import optional_timestamp, parse_json, timestamp

MAX_LISTED = 1_000
"""Sessions listed by id in one result; the counts are always whole."""


class FailureOut(BaseModel):
    """A session that could not be expired."""

    session_id: str
    reason: str


class ExpirationOut(BaseModel):
    """What became of every session that was to be expired."""

    action_id: str = Field(description="The action's id in the audit log.")
    matched: int
    expired_count: int
    already_ended_count: int
    failed_count: int
    calls_ended: int = Field(description="Calls in flight that were answered with an error.")
    streams_closed: int
    expired: list[str] = Field(description="Ids, at most the first 1,000.")
    already_ended: list[str] = Field(description="Ids, at most the first 1,000.")
    failed: list[FailureOut] = Field(description="At most the first 1,000.")

    @classmethod
    def of(cls, result: ExpireResult) -> ExpirationOut:
        return cls(
            action_id=result.action_id,
            matched=result.matched,
            expired_count=len(result.expired),
            already_ended_count=len(result.already_ended),
            failed_count=len(result.failed),
            calls_ended=result.calls_ended,
            streams_closed=result.streams_closed,
            expired=result.expired[:MAX_LISTED],
            already_ended=result.already_ended[:MAX_LISTED],
            failed=[FailureOut(session_id=each, reason=reason) for each, reason in result.failed[:MAX_LISTED]],
        )


class JobOut(BaseModel):
    """An action on many sessions that goes on by itself."""

    id: str = Field(description="Also the action's id in the audit log.")
    verb: str = Field(description="`expire` or `cancel_calls`.")
    status: str = Field(description="`running`, `stopping`, `stopped`, `done`, `partly` or `failed`.")
    actor: str
    target: str
    reason: str
    total: int
    reached: int
    done: int
    nothing_to_do: int = Field(description="Sessions that had ended already, or had no call in flight.")
    failed: int
    per_second: float
    started_at: str
    ended_at: str | None
    stopped_by: str | None

    @classmethod
    def of(cls, job: Job) -> JobOut:
        return cls(
            id=job.id,
            verb=job.verb,
            status=job.status,
            actor=job.actor,
            target=job.target,
            reason=job.reason,
            total=job.total,
            reached=job.reached,
            done=job.counts["done"],
            nothing_to_do=job.counts["nothing"],
            failed=job.counts["failed"],
            per_second=job.per_second,
            started_at=timestamp(job.started_at),
            ended_at=optional_timestamp(job.ended_at),
            stopped_by=job.stopped_by,
        )


class JobsOut(BaseModel):
    """The jobs of this run of the server, newest first."""

    items: list[JobOut]


class SessionResultOut(BaseModel):
    """What an action did to one session."""

    session_id: str
    result: str


class SessionResultsOut(BaseModel):
    """One page of what an action did, by session id."""

    items: list[SessionResultOut]
    next_cursor: str | None
    counts: dict[str, int] = Field(description="Sessions by result, of the whole action.")


class ReplayItemOut(BaseModel):
    """What became of one event."""

    seq: int
    new_seq: int | None
    status: str = Field(description="`delivered`, `queued` or `skipped`.")
    reason: str
    method: str | None = Field(description="Null where the log holds no such event.")


class ReplayOut(BaseModel):
    """What was sent again, what waits, and what cannot be."""

    action_id: str
    delivered: int
    queued: int
    skipped: int
    items: list[ReplayItemOut]

    @classmethod
    def of(cls, result: ReplayResult) -> ReplayOut:
        return cls(
            action_id=result.action_id,
            delivered=result.delivered,
            queued=result.queued,
            skipped=result.skipped,
            items=[ReplayItemOut.model_validate(item._asdict()) for item in result.items],
        )


class CancellationOut(BaseModel):
    """What became of the call."""

    action_id: str
    outcome: str = Field(description="`cancelled`, `answered_by_leg` (its handler went on) or `already_answered`.")

    @classmethod
    def of(cls, result: CancelResult) -> CancellationOut:
        return cls(action_id=result.action_id, outcome=result.outcome)


class StreamClosingOut(BaseModel):
    """Whether a stream was open."""

    closed: bool


class ResourceOut(BaseModel):
    """Something a session holds open."""

    id: int
    name: str
    kind: str = Field(description="The type's name, or `callback`.")
    opened_at: str
    is_owned: bool = Field(description="False: something else owns it, and it goes from the list with its owner.")


class ResourcesOut(BaseModel):
    """What a session holds open."""

    items: list[ResourceOut]

    @classmethod
    def of(cls, held: Sequence[HeldResource]) -> ResourcesOut:
        return cls(
            items=[
                ResourceOut(
                    id=each.id,
                    name=each.name,
                    kind=each.kind,
                    opened_at=timestamp(each.opened_at),
                    is_owned=each.is_owned,
                )
                for each in held
            ]
        )


class ResourceClosingOut(BaseModel):
    """What became of the resource."""

    action_id: str = Field(description="Of the audit entry.")
    name: str | None = Field(description="Null when the session does not hold it (any more).")
    problem: str | None = Field(description="What closing it raised; it is off the list all the same.")


class ErrorGroupOut(BaseModel):
    """Errors of one code and one tool or method."""

    code: str = Field(description="Stable; the same that clients find in `_meta`.")
    target: str = Field(description="The tool, or the JSON-RPC method.")
    count: int
    sessions: int
    first_at: str
    last_at: str
    last_message: str
    last_session: str
    last_seq: int


class ErrorGroupsOut(BaseModel):
    """The newest errors in groups, the most frequent first; at most 300 errors are looked at."""

    items: list[ErrorGroupOut]

    @classmethod
    def of(cls, groups: Sequence[ErrorGroup]) -> ErrorGroupsOut:
        items = [
            ErrorGroupOut(
                code=group.code,
                target=group.target,
                count=group.times,
                sessions=group.sessions,
                first_at=timestamp(group.first_at),
                last_at=timestamp(group.last_at),
                last_message=group.last_message,
                last_session=group.last_session,
                last_seq=group.last_seq,
            )
            for group in groups
        ]
        return cls(items=items)


class SignOutOut(BaseModel):
    """Who was signed out."""

    action_id: str = Field(description="Of the audit entry.")
    user: str | None = Field(description="Null when nobody was signed in.")


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
    status: str
    at: str
    reason: str | None
    seq: int | None = Field(description="Of the message in the session's log.")

    @classmethod
    def of(cls, receipt: Receipt) -> ReceiptOut:
        return cls(
            session_id=receipt.session_id,
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


class AuditEntryOut(BaseModel):
    """One action: intent and outcome."""

    id: int
    action_id: str
    at: str
    actor: str
    role: str
    action: str
    target: str
    reason: str
    outcome: str = Field(description="`done`, `partly`, `refused`, `failed`, or `started` while none is recorded.")
    detail: Any
    address: str

    @classmethod
    def of(cls, entry: AuditEntry) -> AuditEntryOut:
        values = {"at": timestamp(entry.at), "detail": parse_json(entry.detail)[0]}
        return cls.model_validate({**entry._asdict(), **values})


class AuditOut(BaseModel):
    """One page of the audit log, newest first."""

    items: list[AuditEntryOut]
    next_cursor: str | None = Field(description="Give it as `cursor` for the next page; null on the last one.")


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
