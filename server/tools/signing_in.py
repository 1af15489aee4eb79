"""Session authentication: `secure_login`, `secure_operation`, `logout`.

Names and arguments are the session-management guide's; `session_id` is added for clients of the
2026-07-28 era, which pass a handle of `open_session`.
"""

from __future__ import annotations

from typing import Annotated

from mcp.server.mcpserver import Context, MCPServer, Resolve
from pydantic import SecretStr

from ..current import current_call
from ..data import log_message
from ..data.telling import told
from ..data.values import check_text
from ..sign_in import SignIn, sign_in

SCOPE = "switchroom/scope"
"""Member of the tool's `_meta`: the scope that it asks of an access token, where that is not the setting's."""

Signing = Annotated[SignIn, Resolve(sign_in)]


def add_to(mcp: MCPServer, *, scope: str | None = None) -> None:
    """Register the tools on a server that Switchroom is attached to.

    Args:
        scope: What `secure_operation` asks of an access token, where the server asks for tokens; by default
            the setting `SWITCHROOM_SECURE_SCOPE`.
    """

    @mcp.tool()
    async def secure_login(
        username: str, password: SecretStr, signing: Signing, ctx: Context, session_id: str | None = None
    ) -> str:
        """Authenticate current session."""
        signed_in = await signing.login(username, password)
        await log_message(ctx, "info", f"Session {signing.session_id} authenticated as {signed_in.user}")
        return f"Authenticated as {signed_in.user}"

    @mcp.tool(meta=None if scope is None else {SCOPE: scope})
    async def secure_operation(action: str, signing: Signing, ctx: Context, session_id: str | None = None) -> str:
        """Operation requiring session authentication."""
        with told():
            check_text(action, "action")
        await signing.require(scope=_configured_scope() if scope is None else scope)
        await log_message(ctx, "info", f"Executing secure action: {action}")
        return f"Executed secure action: {action}"

    @mcp.tool()
    async def logout(signing: Signing, ctx: Context, session_id: str | None = None) -> str:
        """Logout current session."""
        if await signing.logout() is None:
            return "Nobody was signed in"
        await log_message(ctx, "info", f"Session {signing.session_id} logged out")
        return "Logged out successfully"


def _configured_scope() -> str:
    current = current_call.get()
    return current.engine.settings.secure_scope if current is not None else ""
