"""Groups and blocks as pages and the API show them."""

from __future__ import annotations

import time
from typing import NamedTuple

from ..engine.blocks import Hits, canonical_value
from ..engine.engine import Engine
from ..errors import NotFound
from ..models import Block, BlockKind, Group, Session, SessionKind


class BlockInForce(NamedTuple):
    """A block, and how often it was met since the server started."""

    block: Block
    hits: Hits


class BlockReach(NamedTuple):
    """Whom a block would cover of those who are here now."""

    sessions: int
    clients: int
    """Sessionless ones."""
    calls: int
    streams: int
    principals: int
    """Different principals among them; without a token there are none."""
    names: int
    """Different names their clients give themselves."""
    stdio: int
    """Sessions over stdio among them, whose requests no block reaches."""


class Rules:
    """Reads only, from memory."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    # -- groups --------------------------------------------------------------------------------

    def groups(self) -> list[Group]:
        """Return every group, by server and name."""
        return self._engine.groups.all()

    def group(self, server: str, name: str) -> Group:
        """Return one group.

        Raises:
            NotFound: Nobody is in it.
        """
        found = self._engine.groups.get(server, name)
        if found is None:
            raise NotFound(f"There is no group {name!r}: a group begins with its first member and ends with its last.")
        return found

    def members(self, group: Group) -> list[tuple[float, Session]]:
        """Return when each member joined, and its session as it is now; the longest-standing first."""
        found = ((member.joined_at, self._engine.by_id.get(member.session_id)) for member in group.members)
        return [(at, self._engine.describe(live)) for at, live in found if live is not None]

    # -- blocks --------------------------------------------------------------------------------

    def blocks(self) -> list[BlockInForce]:
        """Return every block in force, the newest first."""
        blocks = self._engine.blocks
        return [BlockInForce(block, blocks.hits_of(block.id)) for block in blocks.all()]

    def block(self, block_id: str) -> BlockInForce:
        """Return one block that is in force.

        Raises:
            NotFound: It is not, or not any more.
        """
        found = self._engine.blocks.get(block_id)
        if found is None:
            raise NotFound("This block is not in force any more: its time was over, or somebody lifted it.")
        return BlockInForce(found, self._engine.blocks.hits_of(block_id))

    def reach(self, kind: BlockKind, value: str) -> BlockReach:
        """Return whom a block would cover now.

        Raises:
            InvalidInput: The value is malformed.
        """
        trial = Block("", kind, canonical_value(kind, value), "", time.time(), "", None)
        blocks = self._engine.blocks
        covered = [each for each in self._engine.by_id.values() if blocks.covers(trial, each.record)]
        records = [each.record for each in covered]
        return BlockReach(
            sessions=sum(record.kind is not SessionKind.CLIENT for record in records),
            clients=sum(record.kind is SessionKind.CLIENT for record in records),
            calls=sum(each.in_flight for each in covered),
            streams=sum(each.open_streams for each in covered),
            principals=len({record.principal for record in records if record.principal}),
            names=len({record.client_name for record in records}),
            stdio=sum(record.kind is SessionKind.STDIO for record in records),
        )
