"""How many requests an address may send, and whether it may send any.

Asked before any token is looked at, since checking one may cost a call to somewhere else.
"""

from __future__ import annotations

import logging

from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ..engine.engine import Engine
from ..errors import Blocked, LimitReached
from .blocked import send_blocked
from .http import send_limit
from .principals import address_of

logger = logging.getLogger(__name__)


class AddressThrottle:
    """ASGI middleware round an attached server. It fails open: a fault of the counting keeps nobody out."""

    def __init__(self, app: ASGIApp, engine: Engine) -> None:
        self._app = app
        self._engine = engine

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            try:
                self._engine.blocks.check_address(address_of(scope))
                self._engine.admission.admit_request(address_of(scope))
            except LimitReached as error:
                await send_limit(send, error)
                return
            except Blocked as error:
                await send_blocked(send, error)
                return
            except Exception:
                logger.exception("a request was not counted")
        await self._app(scope, receive, send)


def throttle(app: Starlette, engine: Engine) -> None:
    """Put the throttle before everything a server's app does, its authentication included."""
    if app.user_middleware:
        app.add_middleware(AddressThrottle, engine=engine)
        return
    for route in app.routes:
        if isinstance(route, Route):
            route.app = AddressThrottle(route.app, engine)
