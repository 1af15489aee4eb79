"""The code of a tool's error, in the `_meta` of its answer, where clients and the console read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mcp.server.context import HandlerResult
from mcp_types import CallToolResult, TextContent

from ..engine.calls import Call
from ..models import Failure

FAILURE_KEY = "switchroom/error"
"""Member of `_meta`; its value has `code`, and `retryAfterSeconds` where waiting helps."""


def with_failure(result: HandlerResult, call: Call | None) -> HandlerResult:
    """Return a tool's answer, with the code of the error that it tells; any other answer as it is."""
    failure = call.failure if call is not None else None
    if failure is None:
        return result
    if isinstance(result, CallToolResult):
        texts = [each.text for each in result.content if isinstance(each, TextContent)]
        # A tool may have caught that error and failed of another one.
        if result.is_error and any(failure.message in text for text in texts):
            return result.model_copy(update={"meta": {**(result.meta or {}), FAILURE_KEY: _member(failure)}})
    elif (
        isinstance(result, Mapping) and result.get("isError") is True and failure.message in str(result.get("content"))
    ):
        meta: dict[str, Any] = {**(result.get("_meta") or {}), FAILURE_KEY: _member(failure)}
        return {**result, "_meta": meta}
    return result


def _member(failure: Failure) -> dict[str, Any]:
    seconds = {} if failure.retry_after is None else {"retryAfterSeconds": failure.retry_after}
    return {"code": failure.code, **seconds}
