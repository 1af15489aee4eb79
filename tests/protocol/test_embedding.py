"""Inside somebody else's app: mounted, under `@app.middleware("http")`, and started by the outer lifespan."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastapi import FastAPI, Request, Response
from mcp import Client
from mcp_types import TextContent

from switchroom.server import Settings, attach
from switchroom.server.attach import Switchroom
from tests.support.servers import eventually, running, serving
from tests.support.toolbox import Toolbox
from tests.support.wire import client, initialize_message, session, text_of

pytestmark = pytest.mark.anyio


def built(box: Toolbox) -> Switchroom:
    return attach(box.mcp, settings=Settings(db="memory:", stream_after_seconds=0.02, retry_ms=100))


def embedding(switchroom: Switchroom, seen: list[str]) -> FastAPI:
    """Return an app with a middleware of its own that mounts the MCP app last."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        async with switchroom.app.router.lifespan_context(switchroom.app):
            yield

    app = FastAPI(lifespan=lifespan)

    @app.middleware("http")
    async def watch(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        seen.append(request.method)
        response = await call_next(request)
        response.headers["x-watched"] = "yes"
        return response

    @app.get("/hello")
    async def hello() -> str:
        return "hello"

    app.mount("/", switchroom.app)
    return app


async def test_calls_streams_and_resumption_work_under_an_http_middleware() -> None:
    box = Toolbox()
    switchroom = built(box)
    seen: list[str] = []
    async with serving(embedding(switchroom, seen), before_stop=switchroom.engine.drain) as base:
        async with session(f"{base}/mcp") as wire:
            quick = await wire.call("echo", text="hi")
            assert (text_of(quick.last), quick.headers["x-watched"]) == ("hi", "yes")
            async with wire.listening() as standalone:
                await standalone.next()
                await wire.call("tell", text="through the middleware")
                assert (await standalone.message())["params"]["data"] == "through the middleware"
                async with wire.streaming(wire.call_message("emit_and_wait", id=1, count=2)) as stream:
                    assert (await stream.message())["params"]["data"] == "0"
                    held = stream.last_id
                async with wire.listening(held) as resumed:
                    assert (await resumed.message())["params"]["data"] == "1"
                    box.let_go()
                    assert text_of((await resumed.rest())[-1]) == "emitted and waited"
            assert (await wire.http.get(f"{base}/hello")).json() == "hello"
        assert set(seen) == {"POST", "GET"}


async def test_a_client_that_leaves_under_an_http_middleware_does_not_cancel_its_call() -> None:
    box = Toolbox()
    switchroom = built(box)
    async with serving(embedding(switchroom, []), before_stop=switchroom.engine.drain) as base:
        async with session(f"{base}/mcp") as wire:
            async with wire.streaming(wire.call_message("wait", id="left")) as stream:
                await stream.next()
                held = stream.last_id
            (live,) = switchroom.engine.by_id.values()
            await eventually(lambda: not live.streams)
            assert live.in_flight == 1
            box.let_go()
            await eventually(lambda: live.in_flight == 0)
            assert (box.finished["wait"], box.cancelled["wait"]) == (1, 0)
            async with wire.listening(held) as resumed:
                assert text_of((await resumed.rest())[-1]) == "waited"


async def test_leaving_at_any_moment_under_an_http_middleware_logs_no_error() -> None:
    box = Toolbox()
    switchroom = built(box)
    async with serving(embedding(switchroom, []), before_stop=switchroom.engine.drain) as base:
        async with session(f"{base}/mcp") as wire:
            for _ in range(10):
                async with wire.listening():
                    pass
                async with wire.streaming(wire.call_message("emit", count=50, size=1000)):
                    pass
                await wire.call("echo", text="hi")
            (live,) = switchroom.engine.by_id.values()
            await eventually(lambda: live.in_flight == 0 and not live.streams)


@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
async def test_the_sdks_clients_work_through_the_embedding_app(mode: str) -> None:
    switchroom = built(Toolbox())
    async with serving(embedding(switchroom, []), before_stop=switchroom.engine.drain) as base:
        async with Client(f"{base}/mcp", mode=mode) as sdk:
            (content,) = (await sdk.call_tool("echo", {"text": "hi"})).content
            assert isinstance(content, TextContent) and content.text == "hi"


async def test_an_app_that_was_not_started_says_what_to_do() -> None:
    switchroom = built(Toolbox())
    app = FastAPI()
    app.mount("/", switchroom.app)
    async with serving(app) as base, client(f"{base}/mcp") as wire:
        answer = await wire.post(initialize_message())
        assert answer.status == 503
        assert "lifespan" in answer.last["error"]["message"]


@pytest.mark.parametrize(
    ("settings", "options", "content_type"),
    [
        ({}, {}, "text/event-stream"),
        ({"json_response": True}, {}, "application/json"),
        ({"json_response": True}, {"json_response": False}, "text/event-stream"),
    ],
)
async def test_answers_are_as_the_settings_say_unless_an_argument_says_otherwise(
    settings: dict[str, Any], options: dict[str, Any], content_type: str
) -> None:
    async with running(Toolbox().mcp, options=options, **settings) as site, session(site.url) as wire:
        answer = await wire.call("echo", text="hi")
        assert answer.headers["content-type"].startswith(content_type)
