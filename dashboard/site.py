"""The console's own application: every page, form and API route, with what they share.

To import and build all of it takes longer than everything that serves MCP, so only `app.py` comes here, when the
console is asked for or MCP is served already.
"""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import FastAPI
from starlette.responses import RedirectResponse
from starlette.routing import BaseRoute, Route

from ..server.accounts import Accounts
from ..server.attach import Switchroom
from . import metrics
from .actions import action_routers
from .api import api_routers
from .assets import Assets
from .errors import install_error_handlers
from .pages import page_routers
from .templating import Templates
from .urls import Urls


def build_site(room: Switchroom, accounts: Accounts, urls: Urls, assets: Assets, *, mcp_base: str) -> FastAPI:
    """Build the application; what requests need of it is in its `state`."""
    app = FastAPI(title="Switchroom", openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.switchroom = room
    app.state.settings = room.settings
    app.state.accounts = accounts
    app.state.urls = urls
    app.state.assets = assets
    app.state.mcp_base = mcp_base
    app.state.templates = Templates(urls)
    for router in (*page_routers(), *action_routers()):
        app.include_router(router, prefix=urls.prefix)
    for router in api_routers():
        app.include_router(router)
    app.include_router(metrics.router, prefix=urls.prefix)
    _lead_home(app, urls.prefix, urls)  # people type the prefix without its slash
    install_error_handlers(app)
    return app


def add_root(app: FastAPI, urls: Urls) -> None:
    """Add what a whole server answers at its root beside the console: `/metrics`, and the way to the console."""
    app.include_router(metrics.router)
    _lead_home(app, "/", urls)


def site_paths(app: FastAPI, prefix: str) -> list[str]:
    """Return the path of every route of the application, once."""
    pages = [prefix + path for router in (*page_routers(), *action_routers()) for path in _paths(router.routes)]
    api = [path for router in api_routers() for path in _paths(router.routes)]
    return list(dict.fromkeys([*pages, *api, *_paths(app.routes)]))


def _lead_home(app: FastAPI, path: str, urls: Urls) -> None:
    @app.get(path, include_in_schema=False)
    async def home() -> RedirectResponse:
        """Send people to the overview."""
        return RedirectResponse(urls.overview())


def _paths(routes: Sequence[BaseRoute]) -> list[str]:
    return [route.path for route in routes if isinstance(route, Route)]
