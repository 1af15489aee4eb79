"""The forms of groups and blocks, filled with what is true at this moment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..server.attach import Switchroom
from ..server.directory import Directory
from ..server.errors import InvalidInput
from ..server.models import BlockKind, Group, Session, SessionRecord
from .contexts.blocks import (
    KINDS,
    TERMS,
    AlsoBlock,
    BlockForm,
    BlockOption,
    CloseListeningForm,
    LiftForm,
    make_option,
    ways_to_block,
)
from .contexts.groups import RemoveForm
from .contexts.sessions import client_name
from .urls import Urls

_DEFAULT_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class WantedBlock:
    """The block form's fields as they came."""

    session_id: str = ""
    what: str = ""
    """`kind:value`, one of the offered ways; or the two apart:"""
    kind: str = "client"
    value: str = ""
    reason: str = ""
    seconds: str = str(_DEFAULT_SECONDS)
    ends_sessions: bool = True

    def target(self) -> tuple[BlockKind, str]:
        """Return what is to be blocked.

        Raises:
            InvalidInput: Nothing is chosen.
        """
        kind, value = self.what.split(":", 1) if ":" in self.what else (self.kind, self.value)
        if kind not in {each.value for each in BlockKind}:
            raise InvalidInput("Choose what to block by.", field="what")
        return BlockKind(kind), value

    def duration(self) -> float | None:
        """Return how long the block holds; `None` until it is lifted.

        Raises:
            InvalidInput: It is none of the offered terms.
        """
        known = {str(seconds): seconds for seconds, _ in TERMS}
        if self.seconds not in known:
            raise InvalidInput("Choose how long the block holds.", field="seconds")
        return float(known[self.seconds]) or None


async def block_form(room: Switchroom, urls: Urls, wanted: WantedBlock, error: InvalidInput | None = None) -> BlockForm:
    """Return the form of a new block; with a session or client in view, the ways to block that.

    Raises:
        NotFound: That session is not known.
    """
    options: tuple[BlockOption, ...] = ()
    if wanted.session_id:
        options = _options(room.directory, await room.directory.session(wanted.session_id), wanted.what)
    return BlockForm(
        action=urls.blocks(),
        session_id=wanted.session_id,
        options=options,
        kinds=tuple((kind.value, label, kind.value == wanted.kind) for kind, label in KINDS.items()),
        value=wanted.value,
        terms=TERMS,
        seconds=int(wanted.seconds) if wanted.seconds.isdigit() else _DEFAULT_SECONDS,
        ends_sessions=wanted.ends_sessions,
        reason=wanted.reason,
        error=error.message if error is not None else "",
        error_field=str(error.detail.get("field", "")) if error is not None else "",
    )


def also_block(directory: Directory, sessions: Iterable[Session | SessionRecord], chosen: str = "") -> AlsoBlock:
    """Return what the expire form offers beside: whom all the sessions have in common. Nothing is chosen by itself."""
    shared: list[tuple[BlockKind, str]] | None = None
    for session in sessions:
        ways = ways_to_block(session)
        shared = ways if shared is None else [way for way in shared if way in ways]
        if not shared:
            break
    return AlsoBlock(_options_of(directory, shared or [], chosen or "-"), TERMS, _DEFAULT_SECONDS, bool(chosen))


def _options(directory: Directory, session: Session, chosen: str) -> tuple[BlockOption, ...]:
    return _options_of(directory, ways_to_block(session), chosen)


def _options_of(directory: Directory, ways: list[tuple[BlockKind, str]], chosen: str) -> tuple[BlockOption, ...]:
    first = f"{ways[0][0].value}:{ways[0][1]}" if ways else ""
    return tuple(
        make_option(
            kind,
            value,
            directory.rules.reach(kind, value),
            is_chosen=f"{kind.value}:{value}" == (chosen or first),
        )
        for kind, value in ways
        if _is_valid(directory, kind, value)
    )


def _is_valid(directory: Directory, kind: BlockKind, value: str) -> bool:
    """Whether a client's own words can be blocked: a name of control characters cannot be told apart by people."""
    try:
        directory.rules.reach(kind, value)
    except InvalidInput:
        return False
    return True


def lift_form(directory: Directory, urls: Urls, block_id: str, *, reason: str = "", error: str = "") -> LiftForm:
    """Return the form for one block.

    Raises:
        NotFound: It is not in force any more.
    """
    block = directory.rules.block(block_id).block
    return LiftForm(urls.lifting(block_id), KINDS[block.kind], block.value, block.reason, reason, error)


async def remove_form(
    directory: Directory, urls: Urls, group: str, session_id: str, server: str, *, reason: str = "", error: str = ""
) -> RemoveForm:
    """Return the form for one member.

    Raises:
        NotFound: That session is not known.
    """
    session = await directory.session(session_id)
    action, back = urls.removal(group, session_id, server=server), urls.group(group, server=server)
    return RemoveForm(action, client_name(session), group, reason, error, back)


async def close_listening_form(
    directory: Directory, urls: Urls, client_id: str, *, reason: str = "", error: str = ""
) -> CloseListeningForm:
    """Return the form for one sessionless client.

    Raises:
        NotFound: That client is not known.
    """
    session = await directory.session(client_id)
    streams = sum(1 for stream in directory.streams(client_id) if stream.kind == "listen")
    action, back = urls.close_listening(client_id), urls.client(client_id)
    return CloseListeningForm(action, client_name(session), streams, reason, error, back)


def group_of(directory: Directory, name: str, server: str) -> Group:
    """Return the group of that name; without a server, of the first one.

    Raises:
        NotFound: Nobody is in it.
    """
    return directory.rules.group(server or next(iter(directory.server_names), ""), name)
