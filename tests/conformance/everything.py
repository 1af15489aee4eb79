"""The server that the official conformance suite asks for: every tool, prompt and resource of its server scenarios.

A low-level `Server`, so that schemas and results are exactly what the suite names. `logging/setLevel` is
left to Switchroom, which adds it. To run it by hand, from the top of the repository:
`PYTHONPATH=. switchroom serve tests/conformance/everything.py:server`.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, get_args

import mcp_types as types
from mcp.server.caching import CacheHint
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler
from mcp.shared.exceptions import MCPError
from mcp_types.methods import CacheableMethod

from tests.conformance.content import IMAGE, SCHEMAS, Call, ToolOutcome
from tests.conformance.prompts import ARGUMENTS, PromptOutcome, Prompts
from tests.conformance.rounds import RoundTools
from tests.conformance.tools import Tools

Context = ServerRequestContext[Any, Any]

RESOURCES: Mapping[str, types.TextResourceContents | types.BlobResourceContents] = {
    contents.uri: contents
    for contents in (
        types.TextResourceContents(
            uri="test://static-text", mime_type="text/plain", text="This is the content of the static text resource."
        ),
        types.BlobResourceContents(uri="test://static-binary", mime_type="image/png", blob=IMAGE.data),
        types.TextResourceContents(uri="test://watched-resource", mime_type="text/plain", text="Watch me."),
    )
}

TEMPLATE = types.ResourceTemplate(
    uri_template="test://template/{id}/data", name="template", description="Data of an id", mime_type="application/json"
)

SUGGESTIONS = ("paris", "park", "party", "world")


def named(*owners: object) -> Mapping[str, Callable[[Call], Awaitable[Any]]]:
    """Return the public methods of some objects by their names."""
    return {
        name: method
        for owner in owners
        for name, method in inspect.getmembers(owner, inspect.iscoroutinefunction)
        if not name.startswith("_")
    }


class Everything:
    """The handlers of the server."""

    def __init__(self, bus: InMemorySubscriptionBus) -> None:
        self._tools = named(Tools(bus), RoundTools())
        self._prompts = named(Prompts())

    async def list_tools(self, ctx: Context, params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        plain = {"type": "object", "properties": dict[str, Any]()}
        return types.ListToolsResult(
            tools=[
                types.Tool(name=name, description=method.__doc__, input_schema=SCHEMAS["tools"].get(name, plain))
                for name, method in self._tools.items()
            ]
        )

    async def call_tool(self, ctx: Context, params: types.CallToolRequestParams) -> ToolOutcome:
        tool = self._tools.get(params.name)
        if tool is None:
            raise MCPError(types.INVALID_PARAMS, f"Unknown tool: {params.name}")
        inputs = params.input_responses or {}
        outcome: ToolOutcome = await tool(Call(ctx, params.arguments or {}, inputs, params.request_state))
        return outcome

    async def list_prompts(self, ctx: Context, params: types.PaginatedRequestParams | None) -> types.ListPromptsResult:
        return types.ListPromptsResult(
            prompts=[
                types.Prompt(
                    name=name,
                    description=method.__doc__,
                    arguments=[
                        types.PromptArgument(name=argument, description=meaning, required=True)
                        for argument, meaning in ARGUMENTS.get(name, {}).items()
                    ],
                )
                for name, method in self._prompts.items()
            ]
        )

    async def get_prompt(self, ctx: Context, params: types.GetPromptRequestParams) -> PromptOutcome:
        prompt = self._prompts.get(params.name)
        if prompt is None:
            raise MCPError(types.INVALID_PARAMS, f"Unknown prompt: {params.name}")
        inputs = params.input_responses or {}
        outcome: PromptOutcome = await prompt(Call(ctx, params.arguments or {}, inputs, params.request_state))
        return outcome


async def list_resources(ctx: Context, params: types.PaginatedRequestParams | None) -> types.ListResourcesResult:
    return types.ListResourcesResult(
        resources=[
            types.Resource(
                uri=uri, name=uri.removeprefix("test://"), description=f"Fixture {uri}", mime_type=contents.mime_type
            )
            for uri, contents in RESOURCES.items()
        ]
    )


async def list_templates(
    ctx: Context, params: types.PaginatedRequestParams | None
) -> types.ListResourceTemplatesResult:
    return types.ListResourceTemplatesResult(resource_templates=[TEMPLATE])


async def read_resource(ctx: Context, params: types.ReadResourceRequestParams) -> types.ReadResourceResult:
    uri = str(params.uri)
    known = RESOURCES.get(uri)
    if known is not None:
        return types.ReadResourceResult(contents=[known])
    before, _, after = TEMPLATE.uri_template.partition("{id}")
    if not (uri.startswith(before) and uri.endswith(after)):
        raise MCPError(types.INVALID_PARAMS, "Resource not found", {"uri": uri})
    wanted = uri.removeprefix(before).removesuffix(after)
    data = json.dumps({"id": wanted, "templateTest": True, "data": f"Data for ID: {wanted}"})
    contents = types.TextResourceContents(uri=uri, mime_type=TEMPLATE.mime_type, text=data)
    return types.ReadResourceResult(contents=[contents])


async def subscribe(ctx: Context, params: types.SubscribeRequestParams) -> types.EmptyResult:
    return types.EmptyResult()


async def unsubscribe(ctx: Context, params: types.UnsubscribeRequestParams) -> types.EmptyResult:
    return types.EmptyResult()


async def complete(ctx: Context, params: types.CompleteRequestParams) -> types.CompleteResult:
    values = [word for word in SUGGESTIONS if word.startswith(params.argument.value)]
    return types.CompleteResult(completion=types.Completion(values=values, total=len(values), has_more=False))


def everything_server() -> Server[Any]:
    """Return the server with all fixtures."""
    bus = InMemorySubscriptionBus()
    fixtures = Everything(bus)
    built = Server[Any](
        "everything",
        version="1.0",
        cache_hints=dict.fromkeys(get_args(CacheableMethod), CacheHint(ttl_ms=1_000, scope="public")),
        on_list_tools=fixtures.list_tools,
        on_call_tool=fixtures.call_tool,
        on_list_resources=list_resources,
        on_list_resource_templates=list_templates,
        on_read_resource=read_resource,
        on_subscribe_resource=subscribe,
        on_unsubscribe_resource=unsubscribe,
        on_subscriptions_listen=ListenHandler(bus),
        on_list_prompts=fixtures.list_prompts,
        on_get_prompt=fixtures.get_prompt,
        on_completion=complete,
    )
    built.middleware.append(RequestStateBoundary(RequestStateSecurity.ephemeral(), default_audience="everything"))
    return built


server = everything_server()
