"""The frame of every action: who may, what was meant, what came of it."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Protocol

from ..errors import AlreadyEnded, Forbidden, NotFound, StoreUnavailable, SwitchroomError
from ..ids import new_reference
from ..models import Actor, Role
from ..store.base import AuditLog, AuditRecord

logger = logging.getLogger(__name__)


class Action:
    """One action under way; set `outcome` and `detail` before it ends."""

    def __init__(self, action_id: str) -> None:
        self.id = action_id
        self.outcome = "done"
        self.detail: Mapping[str, object] = {}


class Resolver(Protocol):
    """An embedding application's say on every action, after the actor's role has allowed it.

    Awaited on the event loop before anything is done, once for each action; a slow answer delays that
    action alone. One that raises refuses, and the trace is in the log.
    """

    async def __call__(self, actor: Actor, action: str, target: str) -> bool:
        """Whether the actor may do this: `expire` to a session's reference, `set_key` to `reference name`, …"""
        ...


class Actions:
    """Authorises and records actions: the intent before, the outcome after, under one id."""

    def __init__(self, audit: AuditLog) -> None:
        self._audit = audit
        self.counts: Counter[tuple[str, str]] = Counter()
        """Actions since the start, by name and outcome."""
        self.resolver: Resolver | None = None

    @asynccontextmanager
    async def run(
        self,
        actor: Actor,
        action: str,
        target: str,
        reason: str = "",
        *,
        needs: Role = Role.OPERATOR,
        detail: Mapping[str, object] | None = None,
    ) -> AsyncGenerator[Action]:
        """Record the intent, with `detail`, let the body act, record the outcome.

        Raises:
            Forbidden: The actor's role or the application's resolver does not allow it; recorded too.
        """
        running = Action(new_reference())
        meant = AuditRecord(running.id, "intent", actor, action, target, reason)
        if not actor.role.includes(needs):
            await self._write_outcome(meant, "refused", {"needs": needs.value})
            raise Forbidden(f"Your role is {actor.role.value}; this needs the role {needs.value}.")
        if not await self._is_resolved(actor, action, target):
            await self._write_outcome(meant, "refused", {"needs": "the application's permission"})
            raise Forbidden("This application does not let you do this.")
        await self._write(meant._replace(outcome="started", detail=json.dumps(dict(detail or {}))))
        try:
            yield running
        except SwitchroomError as error:
            refused = isinstance(error, AlreadyEnded | NotFound)
            running.outcome = "refused" if refused else "failed"
            running.detail = {"error": error.message, "code": error.code}
            raise
        except asyncio.CancelledError:
            running.outcome = "partly" if running.outcome == "partly" else "failed"
            running.detail = {**running.detail, "error": "It was interrupted before it was done."}
            raise
        except BaseException as error:
            running.outcome, running.detail = "failed", {**running.detail, "error": type(error).__name__}
            raise
        finally:
            await self._write_outcome(meant, running.outcome, running.detail)

    async def _is_resolved(self, actor: Actor, action: str, target: str) -> bool:
        if self.resolver is None:
            return True
        try:
            return await self.resolver(actor, action, target) is True
        except Exception:
            logger.exception("the application's resolver raised on %s by %s, which is refused", action, actor.name)
            return False

    async def note(self, actor: Actor, action: str, target: str, outcome: str, detail: dict[str, object]) -> None:
        """Record something that is its own outcome, such as a sign-in."""
        await self._write_outcome(AuditRecord(new_reference(), "outcome", actor, action, target), outcome, detail)

    async def _write_outcome(self, meant: AuditRecord, outcome: str, detail: Mapping[str, object]) -> None:
        self.counts[meant.action, outcome] += 1
        await self._write(meant._replace(phase="outcome", outcome=outcome, detail=json.dumps(dict(detail))))

    async def _write(self, record: AuditRecord) -> None:
        try:
            await self._audit.record(record)
        except StoreUnavailable as error:
            # A full disk must not stop an operator; the record goes where it still can.
            logger.error(
                "AUDIT (store unavailable: %s) %s %s by %s on %r because %r: %s %s",
                error.message,
                record.phase,
                record.action,
                record.actor.name,
                record.target,
                record.reason,
                record.outcome,
                record.detail,
            )
