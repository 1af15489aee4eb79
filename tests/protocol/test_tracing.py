"""OpenTelemetry spans of the SDK: there for whoever wants them, and no work where nobody does."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest
from mcp import Client
from opentelemetry.trace import INVALID_SPAN, NoOpTracer, NoOpTracerProvider, Span

from tests.support.servers import Site, running
from tests.support.toolbox import Toolbox

pytestmark = pytest.mark.anyio

ERAS = ("legacy", "2026-07-28")
TRACE = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}


class Tracer(NoOpTracer):
    """Notes the spans that are begun."""

    def __init__(self) -> None:
        self.names: list[str] = []

    @contextmanager
    def start_as_current_span(self, name: str, *_: Any, **__: Any) -> Generator[Span]:  # type: ignore[override]
        self.names.append(name)
        yield INVALID_SPAN


@pytest.fixture
def tracer(monkeypatch: pytest.MonkeyPatch) -> Tracer:
    """Stand in for the SDK's tracer, which every span of its server comes from."""
    tracer = Tracer()
    monkeypatch.setattr("mcp.shared._otel._tracer", tracer)
    return tracer


async def spans_of_a_call(site: Site, era: str, tracer: Tracer, meta: dict[str, Any] | None = None) -> int:
    """Call a tool; the spans begun in this process for it, the client's own among them."""
    async with Client(site.url, mode=era) as client:
        tracer.names.clear()
        await client.call_tool("echo", {"text": "hi"}, meta=meta)  # type: ignore[arg-type]
    return sum("echo" in name for name in tracer.names)


@pytest.mark.parametrize("era", ERAS)
async def test_a_call_has_a_span_where_a_provider_or_the_client_asks_for_it(
    era: str, tracer: Tracer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(Toolbox().mcp) as site:
        without = await spans_of_a_call(site, era, tracer)
        assert await spans_of_a_call(site, era, tracer, TRACE) == without + 1
        monkeypatch.setattr("switchroom.server.tracing.get_tracer_provider", NoOpTracerProvider)
        assert await spans_of_a_call(site, era, tracer) == without + 1
