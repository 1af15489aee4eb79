"""The OpenAPI document, for signed-in callers only."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from typing import Any

from anyio import to_thread
from fastapi import APIRouter, Request
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from ..auth import LOOPBACK_COOKIE, SECURE_COOKIE
from .routing import ROLE_KEY, ApiResponse, ApiRoute

_ABOUT = (
    "Every call needs `Authorization: Bearer` with a token from `switchroom tokens create`, or an operator's "
    f"sign-in. `{ROLE_KEY}` says which role a call needs beyond the usual: viewer to read, operator to change. "
    "Times are ISO 8601 in UTC."
)


def document_router(routers: Sequence[APIRouter]) -> APIRouter:
    """Return the route of the document that describes `routers`."""
    router = APIRouter(route_class=ApiRoute, include_in_schema=False)

    @router.get("/api/openapi.json")
    async def show_document(request: Request) -> ApiResponse:
        """Return the OpenAPI document, made when it is asked for first.

        It belongs to the application: FastAPI remembers every endpoint as long as the process lives, and with it
        whatever the endpoint holds.
        """
        state = request.app.state
        if not hasattr(state, "api_document"):
            state.api_document = await to_thread.run_sync(_document, routers)
        return ApiResponse(state.api_document)

    return router


def _document(routers: Sequence[APIRouter]) -> dict[str, Any]:
    routes = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]
    document = get_openapi(
        title="Switchroom", version=importlib.metadata.version("switchroom"), description=_ABOUT, routes=routes
    )
    schemes: dict[str, Any] = {
        "token": {"type": "http", "scheme": "bearer"},
        "sign_in": {"type": "apiKey", "in": "cookie", "name": SECURE_COOKIE},
        "loopback_sign_in": {"type": "apiKey", "in": "cookie", "name": LOOPBACK_COOKIE},
    }
    document.setdefault("components", {})["securitySchemes"] = schemes
    document["security"] = [{name: []} for name in schemes]
    return document
