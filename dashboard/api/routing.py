"""How every API route answers: who may, then what form, then what values, and only then the work."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Any, Final, cast

from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from ...server.models import Role
from ..deps import check_role, current_actor, watching_actor

API_PREFIX: Final = "/api/v1"

ROLE_KEY: Final = "x-required-role"
"""Member of a route's OpenAPI entry: the role it needs. Unset: viewer to read, operator to change."""

_READ_METHODS: Final = frozenset({"GET", "HEAD"})

PROBLEM_SCHEMA: Final[dict[str, object]] = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "One sentence that says what to do."},
        "code": {"type": "string", "description": "Stable; compare this."},
    },
}

_REFUSALS: Final = {
    400: "The request cannot be read.",
    401: "No valid sign-in or API token came with the request.",
    403: "The role does not allow this, or the request came from another site.",
    404: "What was named is not known here.",
    409: "The session has ended, the value was changed meanwhile, or the transport cannot do this.",
    413: "The body is too large.",
    415: "The body is not `application/json`.",
    422: "A value is missing, unknown or out of bounds.",
    429: "A limit is reached; `Retry-After` says when to try again.",
    503: "The store did not answer in time.",
}

PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    status: {"description": text, "content": {"application/problem+json": {"schema": PROBLEM_SCHEMA}}}
    for status, text in _REFUSALS.items()
}


class ApiResponse(JSONResponse):
    """JSON in ASCII: clients' text may hold lone surrogates, which UTF-8 cannot carry."""

    def render(self, content: Any) -> bytes:
        return json.dumps(content, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode("ascii")


class ApiRoute(APIRoute):
    """A route that asks who may before it reads the body, and takes `application/json` only."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        extra = self.openapi_extra or {}

        async def guarded(request: Request) -> Response:
            is_read = request.method in _READ_METHODS
            actor = await (watching_actor if self.path.endswith("/live") else current_actor)(request)
            role = Role(extra.get(ROLE_KEY, Role.VIEWER if is_read else Role.OPERATOR))
            await check_role(request, actor, role, self.name)
            if self.body_field is not None:
                _check_media_type(request)
            return await handle(request)

        return guarded


def api_router(tag: str) -> APIRouter:
    """Return a router whose paths begin with `/api/v1`."""
    return APIRouter(
        prefix=API_PREFIX,
        tags=[tag],
        route_class=ApiRoute,
        default_response_class=ApiResponse,
        responses=PROBLEMS,
    )


def answer(model: BaseModel, status: int = 200) -> ApiResponse:
    """Return a model as JSON. Values of strangers inside it are passed on as they are."""
    return ApiResponse(_plain(model), status)


def answer_text(model: BaseModel) -> str:
    """Return a model as JSON text on one line."""
    return ApiResponse(None).render(_plain(model)).decode("ascii")


def _plain(value: object) -> object:
    # Not `model_dump`, which walks through payloads and refuses what is nested deeper than 255 levels.
    if isinstance(value, BaseModel):
        return {name: _plain(each) for name, each in value}
    if isinstance(value, list):
        items = cast("list[object]", value)
        return [_plain(each) for each in items] if items and isinstance(items[0], BaseModel) else items
    return value


def _check_media_type(request: Request) -> None:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise HTTPException(415, "Send the body as application/json.")
