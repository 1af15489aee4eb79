"""The `Mcp-Param-*` headers of a call, compared with the arguments in its body (2026-07-28, SEP-2243).

The comparison is the SDK's; what is here finds the tool's schema, and passes by the many that ask for no header.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

from mcp.server.lowlevel import Server
from mcp.shared.inbound import (
    MCP_PARAM_HEADER_PREFIX,
    X_MCP_HEADER_KEY,
    InboundLadderRejection,
    validate_mcp_param_headers,
)
from mcp_types import CLIENT_CAPABILITIES_META_KEY, CLIENT_INFO_META_KEY, PROTOCOL_VERSION_META_KEY, methods
from pydantic import ValidationError
from starlette.requests import Request

logger = logging.getLogger(__name__)

ListTools = Callable[[dict[str, Any]], Awaitable[Mapping[str, Any]]]
"""Runs the server's `tools/list` with params, as the client that calls would."""

_PREFIX = MCP_PARAM_HEADER_PREFIX.lower().encode("ascii")
MAX_PAGES = 100
"""A server whose list has no end is not asked for ever."""
_ENVELOPE = (PROTOCOL_VERSION_META_KEY, CLIENT_CAPABILITIES_META_KEY, CLIENT_INFO_META_KEY)


class ParamHeaders:
    """Checks the calls of one server."""

    def __init__(self, server: Server[Any]) -> None:
        self._server = server

    async def check(
        self,
        request: Request,
        params: Mapping[str, Any],
        list_tools: ListTools,
        tool: Mapping[str, Any] | None = None,
    ) -> InboundLadderRejection | None:
        """Return why a `tools/call` is refused; `None` when its headers agree with its arguments.

        Args:
            tool: As the server listed it a moment ago, where it did.
        """
        name = params.get("name")
        arguments: object = params.get("arguments")
        if arguments is None:
            arguments = {}
        if not isinstance(name, str) or not isinstance(arguments, Mapping):
            return None  # the kernel says what is wrong with these
        has_headers = any(header.startswith(_PREFIX) for header, _ in request.scope["headers"])
        if not arguments and not has_headers:
            return None
        schema = await self._schema(name, params, list_tools, tool)
        if schema is None or (not has_headers and not _asks_for_headers(schema)):
            return None
        return validate_mcp_param_headers(schema, cast("Mapping[str, Any]", arguments), request.headers)

    async def _schema(
        self, name: str, params: Mapping[str, Any], list_tools: ListTools, tool: Mapping[str, Any] | None
    ) -> object | None:
        look_up = self._server.get_tool_input_schema
        try:
            if look_up is not None:
                return look_up(name)
            tool = tool or await find_tool(name, params, list_tools)
        except Exception:
            # To check headers must never break a call that works. A warning: clients can have it again and again.
            logger.warning(
                "the Mcp-Param headers of a call were not checked: its tool's schema was not found", exc_info=True
            )
            return None
        return cast("object", tool.get("inputSchema")) if tool is not None else None


def _asks_for_headers(schema: object) -> bool:
    """Whether the annotation is anywhere in a schema; where it counts is the SDK's to say."""
    inside: list[object] = [schema]
    while inside:
        part = inside.pop()
        if isinstance(part, dict):
            if X_MCP_HEADER_KEY in part:
                return True
            inside += cast("dict[str, object]", part).values()
        elif isinstance(part, list):
            inside += cast("list[object]", part)
    return False


async def find_tool(name: object, params: Mapping[str, Any], list_tools: ListTools) -> Mapping[str, Any] | None:
    """Return a tool as the server lists it to the very client that calls with these params.

    `None` where it is on no page, and where the client's own envelope is wrong, which its call is told.

    Raises:
        Exception: Whatever the server's handler raises.
    """
    meta: Mapping[str, Any] = params.get("_meta") or {}
    asked: dict[str, Any] = {"_meta": {key: meta[key] for key in _ENVELOPE if key in meta}}
    try:
        methods.validate_client_request("tools/list", str(meta.get(PROTOCOL_VERSION_META_KEY)), asked)
    except (ValidationError, KeyError):
        return None
    seen: set[str] = set()
    while len(seen) < MAX_PAGES:
        page = await list_tools(asked)
        for tool in page.get("tools", ()):
            if tool.get("name") == name:
                return cast("Mapping[str, Any]", tool)
        cursor = page.get("nextCursor")
        if not isinstance(cursor, str):
            return None
        if cursor in seen:
            break
        seen.add(cursor)
        asked = {**asked, "cursor": cursor}
    logger.warning("a tool was not found: tools/list has no end")
    return None
