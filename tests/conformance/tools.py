"""The tools of the suite's server scenarios.

A tool is a public method: its name is the tool's, its docstring the description.
"""

from __future__ import annotations

import asyncio
import json
import warnings

import mcp_types as types
from mcp.server.subscriptions import InMemorySubscriptionBus, PromptsListChanged, ToolsListChanged
from mcp.shared.exceptions import MCPError

from tests.conformance.content import AUDIO, IMAGE, Call, ToolOutcome, embedded, form, required, result, text


class Tools:
    """The tools."""

    def __init__(self, bus: InMemorySubscriptionBus) -> None:
        self._bus = bus

    async def test_simple_text(self, call: Call) -> ToolOutcome:
        """Return one text."""
        return result(text("This is a simple text response for testing."))

    async def test_image_content(self, call: Call) -> ToolOutcome:
        """Return one image."""
        return result(IMAGE)

    async def test_audio_content(self, call: Call) -> ToolOutcome:
        """Return one sound."""
        return result(AUDIO)

    async def test_embedded_resource(self, call: Call) -> ToolOutcome:
        """Return an embedded resource."""
        words = "This is an embedded resource content."
        return result(embedded("test://embedded-resource", "text/plain", words))

    async def test_multiple_content_types(self, call: Call) -> ToolOutcome:
        """Return a text, an image and a resource."""
        data = json.dumps({"test": "data", "value": 123})
        resource = embedded("test://mixed-content-resource", "application/json", data)
        return result(text("Multiple content types test:"), IMAGE, resource)

    async def test_tool_with_logging(self, call: Call) -> ToolOutcome:
        """Send three log messages, some time apart."""
        await call.log("Tool execution started")
        await asyncio.sleep(0.05)
        await call.log("Tool processing data")
        await asyncio.sleep(0.05)
        await call.log("Tool execution completed")
        return result(text("Logged three messages."))

    async def test_error_handling(self, call: Call) -> ToolOutcome:
        """Fail, always."""
        return result(text("This tool intentionally returns an error for testing"), is_error=True)

    async def test_tool_with_progress(self, call: Call) -> ToolOutcome:
        """Report progress three times, some time apart."""
        for progress in (0, 50, 100):
            await call.ctx.session.report_progress(progress, 100)
            await asyncio.sleep(0.05)
        return result(text("Reported progress."))

    async def test_sampling(self, call: Call) -> ToolOutcome:
        """Ask the client's model."""
        asked = [types.SamplingMessage(role="user", content=text(str(call.arguments["prompt"])))]
        with warnings.catch_warnings(action="ignore"):
            answer = await call.ctx.session.create_message(  # pyright: ignore[reportDeprecated]
                asked, max_tokens=100, related_request_id=call.ctx.request_id
            )
        said = answer.content.text if isinstance(answer.content, types.TextContent) else answer.content.type
        return result(text(f"LLM response: {said}"))

    async def test_elicitation(self, call: Call) -> ToolOutcome:
        """Ask the user."""
        answer = await call.elicit(str(call.arguments["message"]), "contact")
        return result(text(f"User response: action={answer.action}, content={answer.content}"))

    async def test_elicitation_sep1034_defaults(self, call: Call) -> ToolOutcome:
        """Ask the user with a form that has defaults."""
        answer = await call.elicit("Check these values", "defaults")
        return result(text(f"Elicitation completed: action={answer.action}, content={answer.content}"))

    async def test_elicitation_sep1330_enums(self, call: Call) -> ToolOutcome:
        """Ask the user with a form of all sorts of choices."""
        answer = await call.elicit("Choose", "enums")
        return result(text(f"Elicitation completed: action={answer.action}, content={answer.content}"))

    async def test_reconnection(self, call: Call) -> ToolOutcome:
        """End the call's stream, then answer: the client has to come back."""
        if call.ctx.close_sse_stream is not None:
            await call.ctx.close_sse_stream()
        await asyncio.sleep(0.05)
        return result(text("Answered after the stream was closed."))

    async def json_schema_2020_12_tool(self, call: Call) -> ToolOutcome:
        """Carry a schema of the whole JSON Schema vocabulary."""
        return result(text(json.dumps(dict(call.arguments))))

    async def test_header_parameter(self, call: Call) -> ToolOutcome:
        """Take an argument that travels in a header too."""
        return result(text(str(call.arguments["region"])))

    async def test_missing_capability(self, call: Call) -> ToolOutcome:
        """Refuse clients that have not declared sampling."""
        needed = types.ClientCapabilities(sampling=types.SamplingCapability())
        if not call.ctx.session.check_client_capability(needed):
            data = types.MissingRequiredClientCapabilityErrorData(required_capabilities=needed)
            raise MCPError(
                types.MISSING_REQUIRED_CLIENT_CAPABILITY,
                "This tool needs a client that can sample",
                data.model_dump(by_alias=True, mode="json", exclude_none=True),
            )
        return result(text("The client can sample."))

    async def test_streaming_elicitation(self, call: Call) -> ToolOutcome:
        """Ask by answering, never by a request on the stream."""
        return required(confirm=form("Go on?", "ok")) if not call.inputs else result(text("Went on."))

    async def test_logging_tool(self, call: Call) -> ToolOutcome:
        """Log something, for those who asked for it."""
        await call.log("Only for those who asked")
        return result(text("Logged."))

    async def test_trigger_tool_change(self, call: Call) -> ToolOutcome:
        """Tell listeners that the tools have changed."""
        await self._bus.publish(ToolsListChanged())
        return result(text("Announced."))

    async def test_trigger_prompt_change(self, call: Call) -> ToolOutcome:
        """Tell listeners that the prompts have changed."""
        await self._bus.publish(PromptsListChanged())
        return result(text("Announced."))
