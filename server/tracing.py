"""The SDK's OpenTelemetry middleware, passed by where a span would go nowhere.

A span costs a call some 25 µs, also where no tracer provider was ever set.
"""

from __future__ import annotations

from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerMiddleware, ServerRequestContext
from opentelemetry.trace import ProxyTracerProvider, get_tracer_provider

_TRACE_KEYS = frozenset({"traceparent", "tracestate", "baggage"})
"""What a client puts into `_meta` to have its trace go on here (2026-07-28, basic, `_meta`)."""


class TracedWhereWanted:
    """Runs the SDK's tracing when a provider is set or the client sent a trace; looked up at every message."""

    def __init__(self, tracing: ServerMiddleware[Any]) -> None:
        self._tracing = tracing

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        if isinstance(get_tracer_provider(), ProxyTracerProvider) and _has_no_trace(ctx):
            return await call_next(ctx)
        return await self._tracing(ctx, call_next)


def _has_no_trace(ctx: ServerRequestContext[Any, Any]) -> bool:
    return not ctx.meta or _TRACE_KEYS.isdisjoint(ctx.meta)


def trace_where_wanted(middleware: list[ServerMiddleware[Any]]) -> None:
    """Put `TracedWhereWanted` round the SDK's own tracing in a server's list of middleware."""
    for position, each in enumerate(middleware):
        if type(each).__module__ == "mcp.server._otel":
            middleware[position] = TracedWhereWanted(each)
