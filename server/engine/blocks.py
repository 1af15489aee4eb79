"""Whom the server refuses: looked up in memory on every request, and only while there is a block at all."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Iterable
from typing import NamedTuple

from ..errors import Blocked, InvalidInput
from ..models import Block, BlockKind, SessionRecord
from ..store.base import Store
from .session import forget_outcome

MAX_BLOCKS = 1_000
_MAX_NAME = 256
"""Characters of a principal or of a client's name; as many as a session's row keeps."""
_MEMO = 10_000
"""Addresses whose network is remembered, so that many networks cost a busy address one look-up."""
_WIDEST = {4: 8, 6: 16}
"""Shortest prefix of a network by version: anything wider is next to everybody."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Hits(NamedTuple):
    """How often a block turned somebody away since the server started."""

    times: int
    last_at: float


class Blocks:
    """Every block in force. For the event loop's thread only."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._all: dict[str, Block] = {}
        self._hits: dict[str, Hits] = {}
        self._principals: dict[str, Block] = {}
        self._clients: dict[str, Block] = {}
        self._networks: list[tuple[Network, Block]] = []
        self._addresses: dict[str, Block | None] = {}

    async def load(self) -> None:
        """Take up the blocks from before a restart."""
        self._all = {block.id: block for block in await self._store.blocks.load()}
        self.expire()
        self._index()

    # -- what requests ask ---------------------------------------------------------------------

    def __bool__(self) -> bool:
        return bool(self._all)

    @property
    def go_by_name(self) -> bool:
        """Whether some client's name is blocked, so that a request has to be read to know."""
        return bool(self._clients)

    def check_address(self, address: str) -> None:
        """Raise `Blocked` for an address that a block covers."""
        if self._networks:
            self._refuse(self._of_address(address))

    def check_principal(self, principal: str | None) -> None:
        """Raise `Blocked` for a principal that is blocked."""
        if principal is not None and self._principals:
            self._refuse(self._principals.get(principal))

    def check_client(self, name: str) -> None:
        """Raise `Blocked` for a client of a name that is blocked."""
        if self._clients:
            self._refuse(self._clients.get(name[:_MAX_NAME].casefold()))

    def covers(self, block: Block, record: SessionRecord) -> bool:
        """Whether a block turns away the requests of a session or sessionless client."""
        if block.kind is BlockKind.PRINCIPAL:
            return record.principal == block.value
        if block.kind is BlockKind.CLIENT:
            return record.client_name.casefold() == block.value.casefold()
        address = _address(record.address)
        return address is not None and address in ipaddress.ip_network(block.value)

    def _of_address(self, address: str) -> Block | None:
        try:
            return self._addresses[address]
        except KeyError:
            pass
        parsed = _address(address)
        found = None if parsed is None else next((b for network, b in self._networks if parsed in network), None)
        if len(self._addresses) >= _MEMO:
            self._addresses.clear()
        self._addresses[address] = found
        return found

    def _refuse(self, block: Block | None) -> None:
        now = time.time()
        if block is None or (block.expires_at is not None and block.expires_at <= now):
            return
        before = self._hits.get(block.id)
        self._hits[block.id] = Hits(1 if before is None else before.times + 1, now)
        raise Blocked(block_message(block), retry_after=_seconds_left(block, now), reason=block.reason)

    # -- what operators do ---------------------------------------------------------------------

    def all(self) -> list[Block]:
        """Return every block in force, the newest first."""
        self.expire()
        return sorted(self._all.values(), key=lambda block: block.created_at, reverse=True)

    def get(self, block_id: str) -> Block | None:
        """Return one block that is in force."""
        self.expire()
        return self._all.get(block_id)

    def find(self, kind: BlockKind, value: str) -> Block | None:
        """Return the block of exactly that kind and value."""
        wanted = value.casefold() if kind is BlockKind.CLIENT else value
        return next((b for b in self.all() if b.kind is kind and _compared(b) == wanted), None)

    def hits_of(self, block_id: str) -> Hits:
        """Return how often a block was met."""
        return self._hits.get(block_id, Hits(0, 0.0))

    async def put(self, block: Block) -> None:
        """Put a block in force, in place of the one with the same id, and store it.

        Raises:
            StoreUnavailable: It is in force, and its row is queued.
        """
        self._all[block.id] = block
        self._index()
        await self._store.blocks.put(block)

    async def remove(self, block_id: str) -> None:
        """Lift a block.

        Raises:
            StoreUnavailable: It is lifted, and that is queued.
        """
        self._all.pop(block_id, None)
        self._hits.pop(block_id, None)
        self._index()
        await self._store.blocks.remove(block_id)

    def expire(self) -> None:
        """Forget the blocks whose time is over."""
        now = time.time()
        over = [block.id for block in self._all.values() if block.expires_at is not None and block.expires_at <= now]
        for block_id in over:
            del self._all[block_id]
            self._hits.pop(block_id, None)
            self._store.blocks.remove(block_id).add_done_callback(forget_outcome)
        if over:
            self._index()

    def _index(self) -> None:
        blocks = self._all.values()
        self._principals = {block.value: block for block in blocks if block.kind is BlockKind.PRINCIPAL}
        self._clients = {block.value.casefold(): block for block in blocks if block.kind is BlockKind.CLIENT}
        self._networks = [(ipaddress.ip_network(b.value), b) for b in blocks if b.kind is BlockKind.ADDRESS]
        self._addresses.clear()


def canonical_value(kind: BlockKind, value: str) -> str:
    """Return what a block compares with, spelled in one way.

    Raises:
        InvalidInput: With what is allowed.
    """
    text = value.strip()
    if kind is not BlockKind.ADDRESS:
        if not text or len(text) > _MAX_NAME or not text.isprintable():
            what = "principal" if kind is BlockKind.PRINCIPAL else "client's name"
            raise InvalidInput(f"Give a {what} of 1 to {_MAX_NAME} printable characters.", field="value")
        return text
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        examples = "192.0.2.7, 192.0.2.0/24 or 2001:db8::/32"
        raise InvalidInput(f"{text[:60]!r} is no address: give one such as {examples}.", field="value") from None
    if network.prefixlen < _WIDEST[network.version]:
        widest = _WIDEST[network.version]
        raise InvalidInput(f"{network} is next to everybody: block a network of /{widest} or smaller.", field="value")
    return str(network.network_address) if network.num_addresses == 1 else str(network)


def block_message(block: Block) -> str:
    """Return what somebody who is refused is told."""
    until = "It has no end." if block.expires_at is None else f"It ends at {_iso(block.expires_at)}."
    return f"Blocked by an operator of this server: {block.reason.rstrip('.')}. {until}"


def sessions_covered(blocks: Blocks, block: Block, records: Iterable[SessionRecord]) -> list[str]:
    """Return the ids of those that a block turns away."""
    return [record.id for record in records if blocks.covers(block, record)]


def _compared(block: Block) -> str:
    return block.value.casefold() if block.kind is BlockKind.CLIENT else block.value


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return address if mapped is None else mapped


def _seconds_left(block: Block, now: float) -> int | None:
    return None if block.expires_at is None else max(1, int(block.expires_at - now) + 1)


def _iso(at: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
