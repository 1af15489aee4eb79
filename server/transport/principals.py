"""Who a request speaks for: the principal behind its access token."""

from __future__ import annotations

import json
import time
from typing import NamedTuple

from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser, authorization_context
from starlette.types import Scope

TOKEN_SECONDS = 5.0
"""How often what stays open looks at its token: the SDK checks that when a request starts and never again."""


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


def token_will_expire(scope: Scope) -> bool:
    """Whether an access token that lasts for a time opened this request."""
    return _expires_at(scope) is not None


def token_has_expired(scope: Scope) -> bool:
    """Whether the access token that opened this request has expired since."""
    expires_at = _expires_at(scope)
    return expires_at is not None and expires_at < time.time()


def _expires_at(scope: Scope) -> int | None:
    user = scope.get("user")
    return user.access_token.expires_at if isinstance(user, AuthenticatedUser) else None


def address_of(scope: Scope) -> str:
    """Return the client's network address, empty where the server does not know it."""
    client = scope.get("client")
    return str(client[0]) if client else ""
