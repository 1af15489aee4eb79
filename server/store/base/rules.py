"""Groups and blocks, both read whole at start-up."""

from __future__ import annotations

import asyncio
from typing import Protocol

from ...models import Block, Member


class Groups(Protocol):
    """Which sessions are members of which groups. Few enough to be read whole at start-up."""

    def join(self, member: Member) -> asyncio.Future[None]:
        """Queue a membership; one that is there already keeps the time it began."""
        ...

    def leave(self, member: Member) -> asyncio.Future[None]:
        """Queue the end of one membership; nothing happens when it is not there."""
        ...

    def forget(self, session_id: str) -> asyncio.Future[None]:
        """Queue the end of all memberships of a session."""
        ...

    async def load(self) -> list[Member]:
        """Return every membership, the oldest first."""
        ...


class Blocks(Protocol):
    """Whom the server refuses. Always committed in full before it is acknowledged; read whole at start-up."""

    def put(self, block: Block) -> asyncio.Future[None]:
        """Queue a block, in place of the one with the same id."""
        ...

    def remove(self, block_id: str) -> asyncio.Future[None]:
        """Queue the removal of a block; nothing happens when it is not there."""
        ...

    async def load(self) -> list[Block]:
        """Return every block, those past their time included, the oldest first."""
        ...
