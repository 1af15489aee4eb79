"""Handles: sessions of the newer era. A tool mints one, and later calls pass it as `session_id`.

A handle is a bearer secret: the store keeps its hash, the log shows its first eight characters.
"""

from __future__ import annotations

from typing import Any, cast

from mcp.server.context import ServerRequestContext

from ..current import current_call
from ..engine.diagnosis import note_refused
from ..engine.ending import explain_end
from ..engine.engine import Engine
from ..engine.refusals import Asker
from ..engine.session import LiveSession
from ..errors import StoreUnavailable, Unsupported
from ..ids import hash_secret, looks_like_handle, new_handle
from ..models import EventKind, SessionKind, SessionState
from ..transport.principals import address_of, principal_of

ARGUMENT = "session_id"
"""The tool argument that carries a handle."""

UNKNOWN = "Unknown session_id: it was never issued, has ended, or belongs to another principal. Call open_session."


class Handles:
    """Mints and finds handles."""

    def __init__(self, engine: Engine, server_name: str) -> None:
        self._engine = engine
        self._server_name = server_name

    def of_request(self, ctx: ServerRequestContext[Any, Any]) -> LiveSession | None:
        """Return the session whose handle a tool call carries, when it is valid for this caller."""
        if ctx.method != "tools/call":
            return None
        handle = handle_argument(ctx.params)
        if handle is None:
            return None
        scope: dict[str, Any] = getattr(ctx.request, "scope", None) or {"type": "http"}
        principal = principal_of(scope)
        return self._find(handle, principal.key if principal is not None else None)

    def _find(self, handle: str, principal_key: str | None) -> LiveSession | None:
        session = self._engine.find(hash_secret(handle))
        if session is None or session.record.kind is not SessionKind.HANDLE:
            return None
        if session.record.server != self._server_name:
            return None
        return session if session.record.principal_key == principal_key else None

    async def refuse(self, ctx: ServerRequestContext[Any, Any]) -> str | None:
        """List a handle that names no session of its sender among the refused ids, with the reason.

        Only what has the form of a handle: a tool may have an argument `session_id` with a meaning of its own.

        Returns:
            What its sender may be told: how its own session ended. `None` otherwise, so that nobody learns whether
            somebody else's handle exists.
        """
        handle = handle_argument(ctx.params) if ctx.method == "tools/call" else None
        if handle is None or not looks_like_handle(handle):
            return None
        scope: dict[str, Any] = getattr(ctx.request, "scope", None) or {"type": "http"}
        name, key = principal_of(scope) or (None, None)
        asker = Asker(self._server_name, name, key, address_of(scope), SessionKind.HANDLE)
        try:
            found = await note_refused(self._engine, handle, asker)
        except StoreUnavailable:
            return None
        return explain_end(found.ended)[0] if found.ended is not None else None

    def open(self) -> tuple[LiveSession, str]:
        """Mint a handle for the caller of the running call and open its session.

        Raises:
            Unsupported: No call is running, or its connection has a session already.
            LimitReached: Too many sessions.
        """
        current = current_call.get()
        if current is None or current.call is None:
            raise Unsupported("open_session works inside a tool call only.")
        caller = current.session.record
        if caller.kind not in (SessionKind.CLIENT, SessionKind.HANDLE):
            raise Unsupported("This connection has a session already; call the other tools without session_id.")
        handle = new_handle()
        session = self._engine.open(
            SessionKind.HANDLE,
            handle,
            server=caller.server,
            principal=caller.principal,
            principal_key=caller.principal_key,
            address=caller.address,
            state=SessionState.INITIALIZED,
        )
        record = session.record
        record.client_name, record.client_version = caller.client_name, caller.client_version
        record.protocol_version, record.is_initialized = caller.protocol_version, True
        self._engine.set_state(session, SessionState.INITIALIZED, "open_session")
        session.note(EventKind.LIFECYCLE, "opened_by", f'{{"client":"{caller.id}"}}')
        current.call.secrets = [*(current.call.secrets or ()), handle]
        return session, handle


def handle_argument(params: Any) -> str | None:
    """Return the handle among a tool call's arguments."""
    arguments = params.get("arguments") if params else None
    handle = cast("dict[str, object]", arguments).get(ARGUMENT) if isinstance(arguments, dict) else None
    return handle if isinstance(handle, str) and handle else None
