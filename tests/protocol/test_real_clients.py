"""The SDK's own clients: everything they can do, and what they do when connections are cut."""

from __future__ import annotations

import asyncio
import random
import warnings
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from typing import Any

import httpx
import pytest
from mcp import Client
from mcp.client.context import ClientRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import (
    CreateMessageRequestParams,
    CreateMessageResult,
    ElicitRequestParams,
    ElicitResult,
    ListRootsResult,
    LoggingMessageNotificationParams,
    PromptReference,
    Root,
    TextContent,
)

from switchroom.server.filters import parse_filter
from switchroom.server.models import STANDALONE_STREAM, Actor, Role
from tests.support.everything import everything_server
from tests.support.proxy import cutting_proxy
from tests.support.servers import eventually, running
from tests.support.toolbox import Toolbox
from tests.support.wire import Wire, session

pytestmark = pytest.mark.anyio

OPERATOR = Actor("ann", Role.OPERATOR)


class Ears:
    """What a client's callbacks heard."""

    def __init__(self) -> None:
        self.logs: list[object] = []
        self.methods: list[str] = []
        self.progress: list[float] = []

    def heard(self, text: str) -> bool:
        return text in self.logs

    async def on_log(self, params: LoggingMessageNotificationParams) -> None:
        self.logs.append(params.data)

    async def on_message(self, message: Any) -> None:
        self.methods.append(getattr(message, "method", type(message).__name__))

    async def on_progress(self, progress: float, total: float | None, message: str | None) -> None:
        self.progress.append(progress)


async def answer_elicitation(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
    return ElicitResult(action="accept", content={"name": "Ada"})


async def answer_sampling(context: ClientRequestContext, params: CreateMessageRequestParams) -> CreateMessageResult:
    return CreateMessageResult(role="assistant", model="test", content=TextContent(text="from the model"))


async def answer_roots(context: ClientRequestContext) -> ListRootsResult:
    return ListRootsResult(roots=[Root(uri="file:///here")])  # type: ignore[arg-type]


@asynccontextmanager
async def connected(url: str, ears: Ears | None = None, mode: str = "legacy") -> AsyncGenerator[Client]:
    """Connect an SDK client that can do all that clients can."""
    heard = ears or Ears()
    async with Client(
        url,
        mode=mode,
        elicitation_callback=answer_elicitation,
        sampling_callback=answer_sampling,
        list_roots_callback=answer_roots,
        logging_callback=heard.on_log,
        message_handler=heard.on_message,
    ) as sdk:
        yield sdk


def text_of(result: Any) -> str:
    assert isinstance(result.content[0], TextContent)
    return result.content[0].text


@pytest.mark.parametrize("mode", ["legacy", "2026-07-28", "auto"])
@pytest.mark.parametrize("is_json", [False, True])
async def test_an_everything_server_is_served_whole(mode: str, is_json: bool) -> None:
    async with running(everything_server(), options={"json_response": is_json}) as site:
        ears = Ears()
        async with connected(site.url, ears, mode) as sdk:
            assert len((await sdk.list_tools()).tools) == 9
            assert text_of(await sdk.call_tool("add", {"a": 2, "b": 3})) == "5"
            weather = await sdk.call_tool("weather", {"city": "Oslo"})
            assert weather.structured_content == {"city": "Oslo", "celsius": 21.5}
            assert (await sdk.call_tool("picture", {})).content[0].type == "image"
            failed = await sdk.call_tool("fail", {})
            assert failed.is_error and "on purpose" in text_of(failed)
            assert text_of(await sdk.call_tool("long_running", {}, progress_callback=ears.on_progress)) == "3 steps"
            static: Any = (await sdk.read_resource("everything://static")).contents[0]
            assert static.text == "static text"
            assert (await sdk.read_resource("everything://binary")).contents[0].mime_type == "image/png"
            item: Any = (await sdk.read_resource("everything://items/7")).contents[0]
            assert item.text == "item 7"
            assert (await sdk.list_resource_templates()).resource_templates
            prompt = await sdk.get_prompt("review", {"code": "x = 1"})
            assert getattr(prompt.messages[0].content, "text", None) == "Review this: x = 1"
            done = await sdk.complete(PromptReference(name="review"), {"name": "code", "value": "x"})
            assert done.completion.values == ["x-completed"]
        if mode == "legacy" and not is_json:
            assert (ears.progress, ears.logs) == ([1, 2, 3], ["step 1", "step 2", "step 3"])


async def test_a_client_is_asked_and_told_over_the_right_streams() -> None:
    async with running(everything_server()) as site:
        ears = Ears()
        async with connected(site.url, ears) as sdk:
            assert text_of(await sdk.call_tool("greet_by_asking", {})) == "Hello, Ada"
            assert text_of(await sdk.call_tool("ask_model", {"prompt": "hi"})) == "from the model"
            assert text_of(await sdk.call_tool("list_client_roots", {})) == "1"
            await sdk.call_tool("change_things", {})
            await eventually(lambda: len(ears.methods) >= 2)
            assert set(ears.methods) >= {"notifications/tools/list_changed", "notifications/resources/updated"}
            with warnings.catch_warnings(action="ignore"):
                await sdk.set_logging_level("info")  # pyright: ignore[reportDeprecated]
                await sdk.send_ping()  # pyright: ignore[reportDeprecated]
            await site.switchroom.operations.broadcast(OPERATOR, text="to all")
            await eventually(lambda: "to all" in ears.logs)
        await eventually(lambda: not site.switchroom.engine.by_id)  # its DELETE


async def test_a_cancelled_call_stops_at_the_server() -> None:
    box = Toolbox()
    async with running(box.mcp) as site, connected(site.url) as sdk:
        call = asyncio.create_task(sdk.call_tool("wait", {}))
        await eventually(lambda: box.started["wait"])
        call.cancel()
        await eventually(lambda: box.cancelled["wait"] == 1)
        assert text_of(await sdk.call_tool("echo", {"text": "on"})) == "on"


async def test_an_expired_session_fails_the_clients_next_call_with_the_reason() -> None:
    async with running(Toolbox().mcp) as site, connected(site.url) as sdk:
        await sdk.call_tool("echo", {"text": "hi"})
        await site.switchroom.operations.expire(OPERATOR, "moving house", query=parse_filter(""))
        with pytest.raises(MCPError, match="moving house"):
            await sdk.call_tool("echo", {"text": "hi"})


async def test_an_expired_session_fails_the_call_in_flight_with_the_reason() -> None:
    box = Toolbox()
    async with running(box.mcp) as site, connected(site.url) as sdk:
        call = asyncio.create_task(sdk.call_tool("wait", {}))
        await eventually(lambda: box.started["wait"])
        await site.switchroom.operations.expire(OPERATOR, "moving house", query=parse_filter(""))
        with pytest.raises(MCPError, match="moving house"):
            await call


async def test_a_call_survives_the_cut_of_its_connection() -> None:
    box = Toolbox()
    async with running(box.mcp) as site, cutting_proxy(site.url) as (proxy, url):
        ears = Ears()
        async with connected(url, ears) as sdk:
            call = asyncio.create_task(sdk.call_tool("emit_and_wait", {"count": 3}))
            await eventually(lambda: len(ears.logs) == 3)
            proxy.cut()
            await eventually(lambda: any(opened.kind == "get" and opened.stream for opened in site.live().streams))
            box.let_go()
            assert text_of(await call) == "emitted and waited"
            assert ears.logs == ["0", "1", "2", "after"]
            assert box.started["emit_and_wait"] == 1


async def test_a_call_that_ended_while_its_client_was_away_is_answered_when_it_is_back() -> None:
    box = Toolbox()
    async with running(box.mcp) as site, cutting_proxy(site.url) as (proxy, url):
        ears = Ears()
        async with connected(url, ears) as sdk:
            call = asyncio.create_task(sdk.call_tool("emit_and_wait", {"count": 1}))
            await eventually(lambda: ears.logs == ["0"])
            proxy.cut()
            box.let_go()
            await eventually(lambda: site.live().in_flight == 0)
            assert text_of(await call) == "emitted and waited"
            assert ears.logs == ["0", "after"]


async def test_the_standalone_stream_survives_a_cut_and_graceful_ends_and_misses_nothing() -> None:
    """One cut only: the SDK's client counts every failure of its stream and gives up after the second."""
    async with running(Toolbox().mcp) as site, cutting_proxy(site.url) as (proxy, url):
        ears = Ears()
        async with connected(url, ears) as sdk:
            await eventually(lambda: site.live().open_streams == 1)
            for number in range(4):
                await site.switchroom.operations.broadcast(OPERATOR, text=f"{number}")
                await eventually(partial(ears.heard, f"{number}"))
                if number == 2:
                    proxy.cut()
                else:
                    site.live().open_stream(STANDALONE_STREAM).close()
                await eventually(lambda: site.live().open_streams == 0)
                await site.switchroom.operations.broadcast(OPERATOR, text=f"{number} away")
                await eventually(partial(ears.heard, f"{number} away"))
            assert ears.logs == ["0", "0 away", "1", "1 away", "2", "2 away", "3", "3 away"]
            assert text_of(await sdk.call_tool("echo", {"text": "well"})) == "well"


class Follower:
    """A raw client that comes back with its `Last-Event-ID` whenever its stream is lost."""

    def __init__(self) -> None:
        self.heard: list[object] = []
        self.connections = 0

    async def follow(self, wire: Wire, count: int) -> None:
        held: str | None = None
        while len(self.heard) < count:
            with suppress(httpx.TransportError):
                async with wire.listening(held) as stream:
                    self.connections += 1
                    while len(self.heard) < count and (event := await stream.next()) is not None:
                        held = event.id or held
                        if event.is_message:
                            self.heard.append(event.message["params"]["data"])


def somebody_heard(followers: list[Follower], number: int) -> bool:
    return any(len(follower.heard) > number for follower in followers)


async def test_many_clients_cut_at_random_get_every_message_once_and_in_order() -> None:
    """The proxy cuts every connection again and again while ten clients are told two hundred things each."""
    seed, count = random.Random(7), 200
    async with running(Toolbox().mcp) as site, cutting_proxy(site.url) as (proxy, url), AsyncExitStack() as stack:
        followers = [Follower() for _ in range(10)]
        wires = [await stack.enter_async_context(session(site.url)) for _ in followers]
        async with asyncio.TaskGroup() as following:
            for follower, wire in zip(followers, wires, strict=True):
                wire.url = url
                following.create_task(follower.follow(wire, count))
            for number in range(count):
                await site.switchroom.operations.broadcast(OPERATOR, text=f"{number}")
                await eventually(partial(somebody_heard, followers, number))
                if seed.random() < 0.1:
                    proxy.cut()
        for follower in followers:
            assert follower.heard == [f"{number}" for number in range(count)]
            assert follower.connections > 3
