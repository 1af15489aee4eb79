"""A server that asks for access tokens, and for one scope more where it matters.

The authorization server is somebody else's: this server asks it about each token (RFC 7662). Whoever calls has been
through its sign-in already; `ops` is what the tokens of this conversation are granted beside `use`.

>>> whoami()
ann, with the scopes ops, use
>>> restart(service="mail")
mail restarts, by order of ann
>>> secure_operation(action="wipe")
Error: Session not authenticated. Call secure_login first.
>>> secure_login(username="ana", password="correct horse battery")
Authenticated as ana
>>> secure_operation(action="wipe")
Executed secure action: wipe
>>> logout()
Logged out successfully
"""

from __future__ import annotations

import os
from typing import Annotated, Any

import httpx2
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from mcp.server.mcpserver import MCPServer, Resolve
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import AnyHttpUrl

from switchroom.server import SessionData, session_data
from switchroom.server.tools import sessions, signing_in

Data = Annotated[SessionData, Resolve(session_data)]


class Introspection:
    """The SDK's `TokenVerifier`: the authorization server knows what a token is worth."""

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer

    async def verify_token(self, token: str) -> AccessToken | None:
        async with httpx2.AsyncClient() as http:
            answer = await http.post(f"{self._issuer}/introspect", data={"token": token})
        found: dict[str, Any] = answer.raise_for_status().json()
        return AccessToken(token=token, **found) if found.pop("active") else None


def protected(issuer: str, url: str) -> MCPServer:
    """Return the server that answers at `url` and trusts the authorization server `issuer`."""
    auth = AuthSettings(
        issuer_url=AnyHttpUrl(issuer),
        resource_server_url=AnyHttpUrl(url),
        required_scopes=["use"],
        validate_token_resource=True,  # a token for another server is none for this one
    )
    mcp = MCPServer("protected", token_verifier=Introspection(issuer), auth=auth)
    sessions.add_to(mcp)
    signing_in.add_to(mcp, scope="ops")  # secure_operation asks the token for this scope, beside the sign-in

    @mcp.tool()
    async def whoami() -> str:
        """Say whose token the call has."""
        token = get_access_token()
        return f"{token.subject}, with the scopes {', '.join(sorted(token.scopes))}" if token else "nobody"

    @mcp.tool()
    async def restart(service: str, data: Data, session_id: str | None = None) -> str:
        """Restart a service; only with the scope `ops`."""
        token = get_access_token()
        if token is None or "ops" not in token.scopes:
            raise ToolError("Insufficient permissions: the scope ops is missing.")
        await data.set("restarted", service)
        return f"{service} restarts, by order of {token.subject}"

    return mcp


mcp = protected(
    os.environ.get("ISSUER", "http://127.0.0.1:9000"), os.environ.get("MCP_URL", "http://127.0.0.1:8000/mcp")
)
