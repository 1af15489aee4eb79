"""What the fixtures are made of: contents, forms, and one call as their handlers see it."""

from __future__ import annotations

import base64
import json
import struct
import warnings
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import mcp_types as types
from mcp.server.context import ServerRequestContext

SCHEMAS: Mapping[str, Mapping[str, dict[str, Any]]] = json.loads(
    Path(__file__).with_name("schemas.json").read_text("utf-8")
)


def _png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixel = zlib.compress(b"\0\xff\0\0")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixel) + chunk(b"IEND", b"")


def _wav() -> bytes:
    samples = bytes(16)
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 8000, 8000, 1, 8)
    data = struct.pack("<4sI", b"data", len(samples)) + samples
    return struct.pack("<4sI4s", b"RIFF", 4 + len(form) + len(data), b"WAVE") + form + data


IMAGE = types.ImageContent(data=base64.b64encode(_png()).decode(), mime_type="image/png")
AUDIO = types.AudioContent(data=base64.b64encode(_wav()).decode(), mime_type="audio/wav")


def text(words: str) -> types.TextContent:
    return types.TextContent(text=words)


def embedded(uri: str, mime_type: str, words: str) -> types.EmbeddedResource:
    return types.EmbeddedResource(resource=types.TextResourceContents(uri=uri, mime_type=mime_type, text=words))


def result(*content: types.ContentBlock, is_error: bool = False) -> types.CallToolResult:
    return types.CallToolResult(content=list(content), is_error=is_error)


def form(message: str, schema: str) -> types.ElicitRequest:
    """Return the request that asks the user to fill in a form of `schemas.json`."""
    params = types.ElicitRequestFormParams(message=message, requested_schema=SCHEMAS["forms"][schema])
    return types.ElicitRequest(params=params)


def question(words: str, max_tokens: int = 100) -> types.CreateMessageRequest:
    """Return the request that asks the client's model."""
    messages = [types.SamplingMessage(role="user", content=text(words))]
    return types.CreateMessageRequest(params=types.CreateMessageRequestParams(messages=messages, max_tokens=max_tokens))


def required(state: str | None = None, **requests: types.InputRequest) -> types.InputRequiredResult:
    """Return what asks the client to come back with these inputs."""
    return types.InputRequiredResult(input_requests=requests, request_state=state)


class Call(NamedTuple):
    """One tool call or prompt request."""

    ctx: ServerRequestContext[Any, Any]
    arguments: Mapping[str, Any]
    inputs: Mapping[str, types.InputResponse]
    """What the client came back with."""
    state: str | None
    """What it was given to bring back; verified and opened by the SDK's boundary."""

    def filled(self, key: str) -> Mapping[str, Any] | None:
        """Return the content of a form that the user has accepted."""
        answer = self.inputs.get(key)
        return answer.content if isinstance(answer, types.ElicitResult) and answer.action == "accept" else None

    async def log(self, words: str) -> None:
        """Send a log message on this call's own stream, if this client wants it."""
        with warnings.catch_warnings(action="ignore"):
            await self.ctx.session.send_log_message(  # pyright: ignore[reportDeprecated]
                "info", words, related_request_id=self.ctx.request_id
            )

    async def elicit(self, message: str, schema: str) -> types.ElicitResult:
        """Ask the user in the middle of the call (handshake era)."""
        return await self.ctx.session.elicit_form(message, SCHEMAS["forms"][schema], self.ctx.request_id)


ToolOutcome = types.CallToolResult | types.InputRequiredResult
"""What a tool answers: its result, or what it needs first."""
