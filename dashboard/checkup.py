"""What the session-management guide tells people to look for, looked at in this running server."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from ..server.attach import Switchroom
from ..server.errors import SwitchroomError
from ..server.models import SessionKind
from ..server.sign_in import UsersFile
from ..server.token_guards import TokenGuard, token_guards
from ..server.tools.signing_in import SCOPE
from .formatting import age, count, plural, size
from .health_data import trend_sentence
from .urls import Urls

_RECENT: Final = 3600.0
_NEAR: Final = 0.8
"""Share of a limit from which it counts as nearly reached."""


_WITHOUT_ID: Final = frozenset(SessionKind) - {SessionKind.STREAMABLE_HTTP}


class Finding(NamedTuple):
    """One item of the guide's list, as it is here and now."""

    item: str
    is_fine: bool
    why: str
    advice: str
    """What to do; empty where it is fine."""
    page: str
    """The console's page for it."""


async def check_up(room: Switchroom, urls: Urls) -> list[Finding]:
    """Return a finding for each item of the guide's troubleshooting list."""
    return [_session_ids(room, urls), _state(room, urls), _memory(room, urls), await _authentication(room, urls)]


def _session_ids(room: Switchroom, urls: Urls) -> Finding:
    name = "Session id not available"
    stateless = [server for server in room.directory.server_names if room.served.of(server).stateless_http]
    if stateless:
        why = f"{', '.join(stateless)}: served stateless, so clients of the handshake era get no session id."
        return Finding(name, False, why, "Serve without --stateless where tools need a session.", urls.sessions())
    refused = [each for each in room.directory.refusals() if time.time() - each.last_at < _RECENT]
    if refused:
        why = f"{plural(len(refused), 'session id')} refused within the hour; the last: {refused[0].sentence}"
        advice = "Read why on the Health page, or give the id to switchroom doctor."
        return Finding(name, False, why, advice, urls.health())
    health = room.directory.health()
    without = sum(1 for session in room.engine.live() if session.record.kind in _WITHOUT_ID)
    why = f"{plural(health.live_sessions, 'live session')}, and no session id was refused within the hour."
    if without:
        why += f" {count(without)} of them have no Mcp-Session-Id by nature (stdio, HTTP+SSE, MCP 2026-07-28)."
    return Finding(name, True, why, "", urls.sessions())


def _state(room: Switchroom, urls: Urls) -> Finding:
    name, store = "Session state loss", room.directory.health().store
    if not store.is_ok:
        return Finding(name, False, f"The store fails: {store.message}", "See to its disk.", urls.health())
    if not room.store.is_durable:
        why = "Sessions, keys and events are in memory and end with the process."
        return Finding(name, False, why, "Set SWITCHROOM_DB=sqlite:///switchroom.db.", urls.health())
    settings = room.settings
    lifetime = f", any after {age(settings.lifetime_seconds)}" if settings.lifetime_seconds is not None else ""
    why = f"Kept in {settings.db}; an idle session ends after {age(settings.idle_seconds)}{lifetime}."
    cut = room.directory.trimmed_logs()
    if cut:
        why += f" {plural(cut, 'log')} reached a bound and dropped old events, which a client can no longer resume."
    return Finding(name, True, why, "", urls.health())


def _memory(room: Switchroom, urls: Urls) -> Finding:
    name, vitals = "Memory leaks", room.directory.vitals()
    near = [each for each in room.directory.limits() if each.share >= _NEAR]
    held = f"{size(vitals.memory_bytes)} of memory, {plural(room.resources.count(), 'open resource')}"
    trend = vitals.memory_trend
    if trend is not None and trend.is_leak:
        why = f"{held}; it grows while the sessions do not: {trend_sentence(trend)}."
        advice = "Look at the sessions that hold most (Keys, Resources), and at what your tools keep in globals."
        return Finding(name, False, why, advice, urls.health())
    if near:
        worst = max(near, key=lambda each: each.share)
        why = f"{held}; {count(worst.used or 0)} of {count(worst.allowed)} {worst.limit.name}."
        return Finding(name, False, why, "Shorten the idle limit, or raise this one.", urls.health())
    if vitals.stalled:
        why = f"{held}; {plural(len(vitals.stalled), 'stream')} that nobody reads."
        return Finding(name, False, why, "Close them on the Health page.", urls.health())
    grows = f"growth {trend_sentence(trend)}"
    return Finding(name, True, f"{held}, {grows}; every limit below {_NEAR:.0%}, every stream read.", "", urls.health())


async def _secure_scopes(room: Switchroom) -> list[str]:
    """Return the scopes that `secure_operation` asks for, by its authors or by the setting; none where it is not."""
    try:
        tools = await room.tools("secure_operation")
    except Exception:  # the server's own; that it cannot list its tools is told wherever they are needed
        return []
    metas: list[dict[str, Any]] = [tool.meta or {} for tool in tools]
    return sorted({str(meta.get(SCOPE, room.settings.secure_scope)) for meta in metas})


def _tokens(guards: Sequence[TokenGuard], secure_scopes: Sequence[str]) -> str:
    """Return what is asked of access tokens: at each endpoint, and by `secure_operation` besides."""
    asked = [
        f"{each.path} asks for access tokens"
        + (f" with scope {' and '.join(each.scopes)}" if each.scopes else " of any scope")
        for each in guards
        if each.scopes is not None
    ]
    if not asked:
        return "no access tokens are asked for."
    asked += [f"{each.path} for none" for each in guards if each.scopes is None]
    if not secure_scopes:
        return f"{', '.join(asked)}."
    more = " or ".join(f"scope {each}" if each else "no scope" for each in secure_scopes)
    return f"{', '.join(asked)}; secure_operation needs {more} besides."


async def _authentication(room: Switchroom, urls: Urls) -> Finding:
    name, verifier = "Authentication", room.sign_ins.verifier
    guards = token_guards(room.apps)
    for guard in guards:
        if wrong := await guard.probe():
            asked = f"The token verifier of {guard.path} ({type(guard.verifier).__name__}) is not right"
            return Finding(name, False, f"{asked}: {wrong}", "Mend the token verifier.", urls.health())
    tokens = _tokens(guards, await _secure_scopes(room))
    if not isinstance(verifier, UsersFile):
        asked = f"secure_login asks {type(verifier).__name__}, which the application has passed"
        wrong = await room.sign_ins.probe()
        if wrong:
            return Finding(name, False, f"{asked}; {wrong}", "Mend the verifier.", urls.health())
        return Finding(name, True, f"{asked}; it knows nobody whom nobody is; {tokens}", "", urls.sessions())
    try:
        users = verifier.names()
    except SwitchroomError as error:
        return Finding(name, False, error.message, "Nobody can sign in until then.", urls.health())
    if users and verifier.path.stat().st_mode & 0o077:
        why = f"Others on this machine may read {verifier.path}."
        return Finding(name, False, why, f"Run chmod 600 {verifier.path}.", urls.health())
    why = f"{plural(len(users), 'user')} may sign in; {tokens}"
    return Finding(name, True, why, "", urls.sessions())
