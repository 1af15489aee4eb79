"""Why a session id is refused, or that it would not be: the answer behind every 404.

What is said here is for operators. A client is told no more than its own session's end: to everybody
else an id that exists must look like one that does not.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any, NamedTuple

from ..ids import hash_secret, looks_like_handle
from ..models import EndedId, SessionKind, SessionRecord
from .ending import end_cause
from .engine import Engine
from .refusals import Asker, Verdict

logger = logging.getLogger(__name__)

_REMEDIES = {
    SessionKind.SSE: "Clients get 404 for it and must connect again.",
    SessionKind.HANDLE: "Tools refuse it; clients must call open_session again.",
}
_MUST_INITIALIZE = "Clients get 404 for it and must send initialize again."
_TRANSPORTS = {
    SessionKind.STREAMABLE_HTTP: "It is an Mcp-Session-Id of Streamable HTTP, which is sent as a header.",
    SessionKind.HANDLE: "It is a handle: tools take it as their argument session_id, never as Mcp-Session-Id.",
    SessionKind.SSE: "It belongs to the HTTP+SSE transport, which has an address of its own.",
}


class Diagnosis(NamedTuple):
    """What became of a session id."""

    verdict: Verdict
    sentence: str
    """For an operator: the whole answer. It may quote a client's name and an operator's reason."""
    session_id: str | None = None
    """Public reference; `None` when the id names no session that is known."""
    ended: EndedId | None = None
    """How it ended; with the verdict `ended` alone, so that it may be told to its owner."""
    refused: int = 0
    """How often it was refused lately."""
    last_refused_at: float | None = None


async def diagnose(engine: Engine, secret: str, asker: Asker | None = None) -> Diagnosis:
    """Return what a session id is: to whoever sent it, or without `asker` whosever it is.

    Raises:
        StoreUnavailable: The store could not be read.
    """
    sid_hash = hash_secret(secret)
    live = engine.find(sid_hash)
    if live is not None:
        return _mismatch(EndedId.of(live.record), asker) or _live(live.record)
    record = await engine.store.sessions.find(sid_hash=sid_hash)
    if record is not None and record.state.is_live:
        # Its end is not committed yet. The engine knows the reason until it is.
        record = engine.record(record.id) or record
    ended = EndedId.of(record) if record is not None else await engine.store.sessions.ended_id(sid_hash)
    if ended is None:
        sent_as = asker.kind if asker is not None else _kind_by_form(secret)
        return Diagnosis(Verdict.UNKNOWN, _unknown(engine, sent_as))
    return _mismatch(ended, asker) or _ended(ended)


async def note_refused(engine: Engine, secret: str, asker: Asker) -> Diagnosis:
    """List an id among the refused ones, with the reason, and return it.

    Raises:
        StoreUnavailable: The store could not be read.
    """
    found = await diagnose(engine, secret, asker)
    engine.refusals.note(secret, asker, found.verdict, found.sentence, found.session_id)
    logger.info("refused session id %s…: %s", ascii(secret[:8])[1:-1], found.verdict.value)
    return found


def _live(record: SessionRecord) -> Diagnosis:
    heard = _moment(record.last_activity_at)
    is_header = record.kind is SessionKind.STREAMABLE_HTTP
    more = "" if is_header or record.kind not in _TRANSPORTS else f" {_TRANSPORTS[record.kind]}"
    sentence = f"{_named(EndedId.of(record))} is live; its client was last heard at {heard}.{more}"
    return Diagnosis(Verdict.LIVE, sentence, record.id)


def _ended(ended: EndedId) -> Diagnosis:
    remedy = _REMEDIES.get(ended.kind, _MUST_INITIALIZE)
    if ended.state.is_live:
        return Diagnosis(Verdict.ENDED, f"{_named(ended)} is ending right now. {remedy}", ended.session_id)
    cause = end_cause(ended.state, ended.end_code or "", ended.end_by)
    because = f": {ended.end_reason}" if ended.end_reason else ""
    sentence = f"{_named(ended)} was {cause} at {_moment(ended.ended_at)}{because}. {remedy}"
    return Diagnosis(Verdict.ENDED, sentence, ended.session_id, ended)


def _mismatch(found: EndedId, asker: Asker | None) -> Diagnosis | None:
    """Return why the id is not the asker's to use, or `None` when it is, or was."""
    if asker is None:
        return None
    if found.server != asker.server:
        sentence = f"{_named(found)} belongs to that server, and was sent to {asker.server}."
        return Diagnosis(Verdict.OTHER_SERVER, sentence, found.session_id)
    if found.kind is not asker.kind:
        more = _TRANSPORTS.get(found.kind, f"It belongs to {found.kind.value}, which needs no id.")
        return Diagnosis(Verdict.OTHER_SERVER, f"{_named(found)} is not reached this way. {more}", found.session_id)
    if found.principal_key != asker.principal_key:
        owner, sender = _owner(found.principal_key), asker.principal or "nobody signed in"
        sentence = f"{_named(found)} belongs to {owner}, and was sent by {sender}."
        return Diagnosis(Verdict.OTHER_PRINCIPAL, sentence, found.session_id)
    return None


def _kind_by_form(secret: str) -> SessionKind:
    return SessionKind.HANDLE if looks_like_handle(secret) else SessionKind.STREAMABLE_HTTP


def _unknown(engine: Engine, kind: SessionKind) -> str:
    settings = engine.settings
    kept = max(settings.ended_id_seconds, settings.ended_session_seconds)
    ago = f"{kept / 86_400:g} days" if kept >= 2 * 86_400 else f"{kept / 3_600:g} h"
    since = "" if engine.store.is_durable else f" since it started at {_moment(engine.started_at)}"
    remedy = _REMEDIES.get(kind, _MUST_INITIALIZE)
    return f"This id was never issued by this server{since}, or its session ended more than {ago} ago. {remedy}"


def _named(ended: EndedId) -> str:
    client = f"{ended.client_name} {ended.client_version}".strip()
    return f"Session {ended.session_id}{f' of {client}' if client else ''} on {ended.server}"


def _owner(principal_key: str | None) -> str:
    """Return the subject, else the client, of a principal's key."""
    if principal_key is None:
        return "no principal"
    parts: Any = json.loads(principal_key)
    return f"another principal, {parts[2] or parts[1]}"


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
