"""Blocks: whom the server refuses, the form of a new one, and of lifting one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from ...server.directory.rules import BlockInForce, BlockReach
from ...server.filters import quote_value
from ...server.models import Block, BlockKind, Session, SessionRecord
from ..formatting import plural
from ..urls import Urls
from .shell import LiveLink

KINDS: Final[Mapping[BlockKind, str]] = {
    BlockKind.CLIENT: "Client name",
    BlockKind.ADDRESS: "Address or network",
    BlockKind.PRINCIPAL: "Principal",
}

TERMS: Final = ((900, "15 minutes"), (3600, "1 hour"), (86_400, "24 hours"), (604_800, "7 days"), (0, "until lifted"))
"""How long a block may hold: seconds and words; 0 has no end."""

_CAVEATS: Final[Mapping[BlockKind, str]] = {
    BlockKind.CLIENT: "A name is the client's own words: it can come back under another one.",
    BlockKind.ADDRESS: "An address may be a proxy or a shared line: everybody behind it is refused.",
    BlockKind.PRINCIPAL: "Whatever token, client or address it uses, at every identity provider this server trusts.",
}


@dataclass(frozen=True, slots=True)
class BlockRow:
    """One block; the page and the stream render it from the same file."""

    template: ClassVar[str] = "blocks/_row.html"
    name: ClassVar[str] = "ban"
    id: str
    kind: str
    value: str
    reason: str
    by: str
    created_at: float
    expires_at: float | None
    times: int
    last_at: float
    is_over: bool
    sessions_url: str
    lift_url: str
    """Empty where the viewer may not act, or it is over."""


@dataclass(frozen=True, slots=True)
class BlocksPage:
    """The list."""

    template: ClassVar[str] = "blocks/index.html"
    name: ClassVar[str] = "bans"
    live_link: LiveLink
    rows: tuple[BlockRow, ...]
    can_act: bool


@dataclass(frozen=True, slots=True)
class BlockOption:
    """One way to block what is in view."""

    name: ClassVar[str] = "way"
    value: str
    """`kind:value`, as the form sends it."""
    label: str
    shown: str
    reach: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class BlockForm:
    """Block somebody: one of the ways to name a session or client, or anything typed."""

    template: ClassVar[str] = "dialogs/_block.html"
    name: ClassVar[str] = "barring"
    action: str
    session_id: str
    options: tuple[BlockOption, ...]
    kinds: tuple[tuple[str, str, bool], ...]
    """`(value, label, is chosen)` where nothing is in view."""
    value: str
    terms: tuple[tuple[int, str], ...]
    seconds: int
    ends_sessions: bool
    reason: str
    error: str
    error_field: str


@dataclass(frozen=True, slots=True)
class AlsoBlock:
    """What the expire form offers beside: blocking whoever holds the sessions; no options where they share nobody."""

    template: ClassVar[str] = "dialogs/_also_block.html"
    name: ClassVar[str] = "also"
    options: tuple[BlockOption, ...]
    terms: tuple[tuple[int, str], ...]
    seconds: int
    is_chosen: bool
    """Whether one of the options is."""


@dataclass(frozen=True, slots=True)
class LiftForm:
    """Lift a block."""

    template: ClassVar[str] = "dialogs/_lift.html"
    name: ClassVar[str] = "lifting"
    action: str
    kind: str
    value: str
    told: str
    """The block's own reason."""
    reason: str
    error: str


@dataclass(frozen=True, slots=True)
class CloseListeningForm:
    """End every listen stream of a sessionless client."""

    template: ClassVar[str] = "dialogs/_close_listening.html"
    name: ClassVar[str] = "hush"
    action: str
    client: str
    streams: int
    reason: str
    error: str
    back: str


def make_block_row(found: BlockInForce, urls: Urls, *, can_act: bool, is_over: bool = False) -> BlockRow:
    """Return the row of a block."""
    block, hits = found
    return BlockRow(
        id=block.id,
        kind=KINDS[block.kind],
        value=block.value,
        reason=block.reason,
        by=block.created_by,
        created_at=block.created_at,
        expires_at=block.expires_at,
        times=hits.times,
        last_at=hits.last_at,
        is_over=is_over,
        sessions_url=_sessions_url(block, urls),
        lift_url=urls.lifting(block.id) if can_act and not is_over else "",
    )


def make_blocks(blocks: Iterable[BlockInForce], urls: Urls, live_link: LiveLink, *, can_act: bool) -> BlocksPage:
    """Return the list in the order given."""
    return BlocksPage(live_link, tuple(make_block_row(each, urls, can_act=can_act) for each in blocks), can_act)


def ways_to_block(session: Session | SessionRecord) -> list[tuple[BlockKind, str]]:
    """Return what a session or client can be blocked by, the surest first."""
    ways = [(BlockKind.PRINCIPAL, session.principal), (BlockKind.CLIENT, session.client_name)]
    address = session.address if session.address != "stdio" else ""
    return [(kind, value) for kind, value in [*ways, (BlockKind.ADDRESS, address)] if value]


def make_option(kind: BlockKind, value: str, reach: BlockReach, *, is_chosen: bool) -> BlockOption:
    """Return one way to block, with whom it covers now and what it cannot do."""
    return BlockOption(f"{kind.value}:{value}", KINDS[kind], value, f"{reach_words(kind, reach)}", is_chosen)


def reach_words(kind: BlockKind, reach: BlockReach) -> str:
    """Return whom a block covers now, and what it cannot reach."""
    covered = plural(reach.sessions, "session")
    if reach.clients:
        covered += f" and {plural(reach.clients, 'sessionless client')}"
    words = [f"Covers {covered} now.", _CAVEATS[kind]]
    if kind is BlockKind.ADDRESS and reach.names > 1:
        words.insert(1, f"{reach.names:,} different clients come from it.")
    if reach.stdio:
        words.append("Sessions over stdio are not reached: expire them and stop their process.")
    return " ".join(words)


def _sessions_url(block: Block, urls: Urls) -> str:
    if block.kind is BlockKind.ADDRESS and "/" in block.value:
        return ""  # a filter knows no networks
    return urls.sessions(f"{block.kind.value}:{quote_value(block.value)}")
