"""Clients of the newer era: their calls belong to no session, so they are shown per client.

Principal, name and version together; without authentication that is a label and not an identity.
"""

from __future__ import annotations

from typing import Any

from mcp.server.context import ServerRequestContext
from mcp.shared.inbound import MCP_PROTOCOL_VERSION_HEADER
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, MODERN_PROTOCOL_VERSIONS

from ..engine.engine import Engine
from ..engine.session import LiveSession, forget_outcome
from ..models import SessionKind, SessionState
from ..transport.clients import known_as
from ..transport.principals import address_of, principal_of

_Key = tuple[str | None, str, str]
"""Principal, name and version."""

_MAX_CLIENTS = 10_000
"""More clients than this share one row: names are the clients' own and cost them nothing."""


class Clients:
    """Finds or opens the log of the client that sent a request."""

    def __init__(self, engine: Engine, server_name: str) -> None:
        self._engine = engine
        self._server_name = server_name
        self._ids: dict[_Key, str] = {}

    def load(self) -> None:
        """Take up the clients known from before a restart."""
        for session in self._engine.live(clients=True):
            record = session.record
            if record.server == self._server_name:
                self._ids[record.principal_key, record.client_name, record.client_version] = record.id

    def of_handle(self, session: LiveSession) -> LiveSession | None:
        """Return the client that opened a handle, while it is known: its listen streams reach the handle."""
        record = session.record
        key = (record.principal_key, record.client_name, record.client_version)
        return self._engine.by_id.get(self._ids.get(key, ""))

    def of_request(self, ctx: ServerRequestContext[Any, Any]) -> LiveSession:
        """Return the client's log, opened at its first call.

        Raises:
            Overloaded: The store's queue is full.
        """
        scope: dict[str, Any] = getattr(ctx.request, "scope", None) or {"type": "http"}
        principal = principal_of(scope)
        params = ctx.session.client_params
        name = known_as(params.client_info.name) if params is not None else ""
        version = known_as(params.client_info.version) if params is not None else ""
        key = (principal.key if principal is not None else None, name, version)
        known = self._engine.by_id.get(self._ids.get(key, ""))
        if known is not None and known.early_end is None:
            known.record.protocol_version = _version(ctx, known.record.protocol_version)
            return known
        if len(self._ids) >= _MAX_CLIENTS:
            self._ids = {k: i for k, i in self._ids.items() if i in self._engine.by_id}
            if len(self._ids) >= _MAX_CLIENTS:
                name, version = "(many clients)", ""
                key = (principal.key if principal is not None else None, name, version)
                if (shared := self._engine.by_id.get(self._ids.get(key, ""))) is not None:
                    return shared
        session = self._engine.open(
            SessionKind.CLIENT,
            None,
            server=self._server_name,
            principal=principal.name if principal is not None else None,
            principal_key=principal.key if principal is not None else None,
            address=address_of(scope),
            state=SessionState.INITIALIZED,
        )
        record = session.record
        record.client_name, record.client_version = name, version
        record.protocol_version, record.is_initialized = _version(ctx, ctx.protocol_version), True
        self._engine.save(session).add_done_callback(forget_outcome)
        self._ids[key] = record.id
        return session


def _version(ctx: ServerRequestContext[Any, Any], otherwise: str) -> str:
    """Return the revision a request speaks; of `stateless_http` the SDK itself knows the oldest one only."""
    if ctx.protocol_version in MODERN_PROTOCOL_VERSIONS:
        return ctx.protocol_version
    named: object = getattr(ctx.request, "headers", {}).get(MCP_PROTOCOL_VERSION_HEADER)
    return named if isinstance(named, str) and named in HANDSHAKE_PROTOCOL_VERSIONS else otherwise
