"""Who a request speaks for: the principal behind its access token."""

from __future__ import annotations

import json
import time
from typing import NamedTuple

from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser, authorization_context
from starlette.types import Scope


class Principal(NamedTuple):
    """Issuer, client and subject, never the token's bytes: a refreshed token is the same principal."""

    name: str
    key: str


def principal_of(scope: Scope) -> Principal | None:
    """Return the authenticated principal, or `None` where the server asks for no token."""
    user = scope.get("user")
    if not isinstance(user, AuthenticatedUser):
        return None
    context = authorization_context(user)
    key = json.dumps([context["issuer"], context["client_id"], context["subject"]])
    return Principal(context["subject"] or context["client_id"], key)


def token_has_expired(scope: Scope) -> bool:
    """Whether the access token that opened this request has expired since."""
    user = scope.get("user")
    if not isinstance(user, AuthenticatedUser):
        return False
    expires_at = user.access_token.expires_at
    return expires_at is not None and expires_at < time.time()


def address_of(scope: Scope) -> str:
    """Return the client's network address, empty where the server does not know it."""
    client = scope.get("client")
    return str(client[0]) if client else ""
