"""What stands before a server's handlers: a middleware that watches, and access tokens."""

from __future__ import annotations

from collections import Counter
from typing import Any

from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.shared.exceptions import MCPError
from pydantic import AnyHttpUrl

from tests.support.toolbox import Toolbox


class Witness:
    """A middleware that counts what it sees and may refuse handshakes."""

    def __init__(self, *, refuses_initialize: bool = False) -> None:
        self.seen: Counter[str] = Counter()
        self.refuses_initialize = refuses_initialize

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        self.seen[ctx.method] += 1
        if self.refuses_initialize and ctx.method == "initialize":
            raise MCPError(-32042, "not today")
        return await call_next(ctx)


class Tokens:
    """A token verifier that knows the tokens a test gave out."""

    def __init__(self) -> None:
        self.known: dict[str, AccessToken] = {}

    def issue(self, token: str, subject: str, *, client_id: str = "app", issuer: str = "https://id.example") -> str:
        """Return `token` after it was made known; two tokens of one subject are the same principal."""
        self.known[token] = AccessToken(
            token=token, client_id=client_id, scopes=["use"], subject=subject, claims={"iss": issuer}
        )
        return token

    async def verify_token(self, token: str) -> AccessToken | None:
        return self.known.get(token)


def guarded_toolbox(tokens: Tokens) -> Toolbox:
    """Return a toolbox that asks for access tokens."""
    auth = AuthSettings(
        issuer_url=AnyHttpUrl("https://id.example"),
        resource_server_url=AnyHttpUrl("http://127.0.0.1/mcp"),
        required_scopes=["use"],
        validate_token_resource=False,
    )
    return Toolbox(token_verifier=tokens, auth=auth)
