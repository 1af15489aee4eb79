"""Blocking and lifting blocks: who is refused from now on, and what becomes of what they have open."""

from __future__ import annotations

import time
from typing import Final, NamedTuple

from ..directory.directory import Directory
from ..engine.blocks import MAX_BLOCKS, canonical_value, sessions_covered
from ..engine.engine import Engine
from ..errors import InvalidInput, LimitReached, NotFound, StoreUnavailable
from ..ids import new_reference
from ..models import Actor, Block, BlockKind
from .actions import Actions
from .clients import ClientVerbs
from .results import ExpireResult
from .sessions import SessionVerbs, check_reason

MAX_SECONDS: Final = 366 * 24 * 3600.0


class BlockResult(NamedTuple):
    """The outcome of a block."""

    action_id: str
    block: Block
    was_replaced: bool
    """Whether the same one was there before, with another reason or end."""
    ended: ExpireResult | None
    """What became of the sessions it covers; `None` where they were not to be ended, or there were none."""
    streams_closed: int
    """Streams of sessionless clients."""
    is_stored: bool
    """`False` when the store did not take it in time: it is in force, and its row is queued."""


class BlockVerbs:
    """Who is refused."""

    def __init__(
        self, engine: Engine, directory: Directory, actions: Actions, sessions: SessionVerbs, clients: ClientVerbs
    ) -> None:
        self._engine = engine
        self._directory = directory
        self._actions = actions
        self._sessions = sessions
        self._clients = clients

    async def block(
        self,
        actor: Actor,
        kind: BlockKind,
        value: str,
        reason: str,
        *,
        seconds: float | None = None,
        ends_sessions: bool = False,
    ) -> BlockResult:
        """Refuse every request of a principal, an address or network, or a client's name, in both eras.

        A block of the same kind and value is replaced.

        Args:
            seconds: How long it holds; `None` until it is lifted.
            ends_sessions: Also end the sessions it covers, and the listen streams of sessionless clients.

        Raises:
            Forbidden: The actor may not act.
            InvalidInput: The value, the reason or the time is malformed.
            LimitReached: There are too many blocks.
        """
        target = f"{kind.value} {value.strip()}"
        async with self._actions.run(actor, "block", target, reason.strip()) as action:
            text = check_reason(reason)
            if seconds is not None and not 1 <= seconds <= MAX_SECONDS:
                raise InvalidInput("A block holds from 1 second to 366 days, or until it is lifted.", field="seconds")
            wanted = canonical_value(kind, value)
            before = self._engine.blocks.find(kind, wanted)
            if before is None and len(self._engine.blocks.all()) >= MAX_BLOCKS:
                raise LimitReached(f"There are {MAX_BLOCKS:,} blocks, the limit: lift one, or block a network.")
            now = time.time()
            block = Block(
                before.id if before is not None else new_reference(),
                kind,
                wanted,
                text,
                now,
                actor.name,
                now + seconds if seconds is not None else None,
            )
            is_stored = await self._store(block)
            # In force first, so that nobody who is sent away is back before the door is shut.
            ended, streams = await self._end(actor, block) if ends_sessions else (None, 0)
            action.outcome = "done" if is_stored else "partly"
            action.detail = {
                "block": block.id,
                "kind": kind.value,
                "value": wanted,
                "expires_at": block.expires_at,
                "replaced": before is not None,
                "stored": is_stored,
                "expired": len(ended.expired) if ended is not None else 0,
                "streams_closed": streams + (ended.streams_closed if ended is not None else 0),
            }
            return BlockResult(action.id, block, before is not None, ended, streams, is_stored)

    async def lift_block(self, actor: Actor, block_id: str, reason: str) -> Block:
        """Lift a block: whom it covered is served again from now on.

        Raises:
            Forbidden: The actor may not act.
            InvalidInput: The reason is empty.
            NotFound: There is no such block, or not any more.
        """
        async with self._actions.run(actor, "lift_block", block_id, reason.strip()) as action:
            check_reason(reason)
            block = self._engine.blocks.get(block_id)
            if block is None:
                raise NotFound("This block is not in force any more: its time was over, or somebody lifted it.")
            action.detail = {"kind": block.kind.value, "value": block.value, "reason": block.reason}
            try:
                await self._engine.blocks.remove(block_id)
            except StoreUnavailable:
                action.outcome = "partly"
            return block

    async def _store(self, block: Block) -> bool:
        try:
            await self._engine.blocks.put(block)
        except StoreUnavailable:
            return False
        return True

    async def _end(self, actor: Actor, block: Block) -> tuple[ExpireResult | None, int]:
        blocks = self._engine.blocks
        covered = sessions_covered(blocks, block, [session.record for session in self._engine.live()])
        reason = f"Blocked: {block.reason}"[:500]
        ended = await self._sessions.expire(actor, reason, session_ids=covered) if covered else None
        clients = sessions_covered(blocks, block, [session.record for session in self._engine.live(clients=True)])
        return ended, sum(self._clients.close_all(actor, client_id) for client_id in clients)
