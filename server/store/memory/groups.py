"""Memberships and blocks in memory."""

from __future__ import annotations

import asyncio

from ...models import Block, Member
from ..text import plain_text
from .done import done


class MemoryGroups:
    """Which sessions are members of which groups."""

    def __init__(self) -> None:
        self._members: dict[tuple[str, str, str], Member] = {}

    def join(self, member: Member) -> asyncio.Future[None]:
        kept = member._replace(server=plain_text(member.server), group=plain_text(member.group))
        self._members.setdefault(_key(kept), kept)
        return done()

    def leave(self, member: Member) -> asyncio.Future[None]:
        kept = member._replace(server=plain_text(member.server), group=plain_text(member.group))
        self._members.pop(_key(kept), None)
        return done()

    def forget(self, session_id: str) -> asyncio.Future[None]:
        for key in [key for key in self._members if key[0] == session_id]:
            del self._members[key]
        return done()

    async def load(self) -> list[Member]:
        return sorted(self._members.values(), key=lambda member: (member.joined_at, *_key(member)))


class MemoryBlocks:
    """Whom the server refuses."""

    def __init__(self) -> None:
        self._blocks: dict[str, Block] = {}

    def put(self, block: Block) -> asyncio.Future[None]:
        texts = {name: plain_text(getattr(block, name)) for name in ("value", "reason", "created_by")}
        self._blocks[block.id] = block._replace(**texts)
        return done()

    def remove(self, block_id: str) -> asyncio.Future[None]:
        self._blocks.pop(block_id, None)
        return done()

    async def load(self) -> list[Block]:
        return sorted(self._blocks.values(), key=lambda block: (block.created_at, block.id))


def _key(member: Member) -> tuple[str, str, str]:
    return member.session_id, member.server, member.group
