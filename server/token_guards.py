"""Who asks for access tokens: read from the running apps, since an app's author may have guarded them in many ways."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple, cast

from mcp.server.auth.middleware.bearer_auth import BearerAuthBackend, RequireAuthMiddleware
from starlette.applications import Starlette
from starlette.routing import Route

logger = logging.getLogger(__name__)

PROBE_SECONDS: Final = 5.0


class TokenGuard(NamedTuple):
    """What one MCP endpoint asks of access tokens."""

    path: str
    scopes: tuple[str, ...] | None
    """Those that a token must have; `None` where no token is asked for."""
    verifier: Any
    """The SDK's `TokenVerifier`; `None` where none was found."""

    async def probe(self) -> str:
        """Show the verifier a token that nobody issued; return what is wrong with it, `""` when nothing is."""
        if self.verifier is None:
            return ""
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                accepted = await self.verifier.verify_token(secrets.token_urlsafe(24))
        except TimeoutError:
            return f"it does not answer within {PROBE_SECONDS:g} s."
        except Exception as error:
            logger.exception("the token verifier of %s could not be asked", self.path)
            return f"it raises {type(error).__name__}, so no request gets through; the server's log has the rest."
        return "it takes a token that was made up this moment." if accepted is not None else ""


def token_guards(apps: Iterable[Starlette]) -> list[TokenGuard]:
    """Return what each MCP endpoint of the apps asks for, in their order."""
    return [guard for app in apps for guard in _guards_of(app)]


def _guards_of(app: Starlette) -> Iterator[TokenGuard]:
    verifier = next(
        (backend.token_verifier for each in app.user_middleware if (backend := _bearer_backend(each)) is not None), None
    )
    for route in app.routes:
        if not isinstance(route, Route) or mcp_endpoint(route) is None:
            continue
        endpoint = cast("object", route.endpoint)
        if isinstance(endpoint, RequireAuthMiddleware):
            yield TokenGuard(route.path, tuple(endpoint.required_scopes), verifier)
        else:
            yield TokenGuard(route.path, None, None)


def _bearer_backend(middleware: Any) -> BearerAuthBackend | None:
    backend = middleware.kwargs.get("backend")
    return backend if isinstance(backend, BearerAuthBackend) else None


def mcp_endpoint(route: object) -> Any:
    """Return what holds the session manager that a route leads to, behind whatever guards it; `None` on others."""
    found: Any = route.endpoint if isinstance(route, Route) else None
    while found is not None and not hasattr(found, "session_manager"):
        found = getattr(found, "app", None)
    return found
