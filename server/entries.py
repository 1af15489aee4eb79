"""The quickest way into an attached server: straight to a route's endpoint where nothing has to stand before it."""

from __future__ import annotations

from collections.abc import Iterator

from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send


def entries(app: Starlette) -> Iterator[tuple[str, ASGIApp]]:
    """Return each route of a server's ASGI app as its path and what answers there.

    An endpoint that is an ASGI app itself, in an application without middleware and error handlers of its
    own, is entered directly: routing and Starlette's own layers are a twentieth of a quick call.
    """
    is_bare = not app.user_middleware and not app.exception_handlers
    for route in app.routes:
        if isinstance(route, Route):
            yield route.path, _Direct(app, route.app) if is_bare and route.methods is None else app


class _Direct:
    """Enters an endpoint with what the application would have added to the scope."""

    def __init__(self, app: Starlette, endpoint: ASGIApp) -> None:
        self._app = app
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["app"] = self._app
        scope["endpoint"] = self._endpoint
        scope["path_params"] = {}
        await self._endpoint(scope, receive, send)
