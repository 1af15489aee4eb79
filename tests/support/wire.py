"""A small raw HTTP client for the handshake era: what goes over the wire, nothing hidden."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import httpx

SECONDS = 5.0
"""No wait of a test takes longer than this."""

Json = dict[str, Any]


class SseEvent(NamedTuple):
    """One server-sent event."""

    id: str | None
    data: str
    retry: int | None
    comment: str | None

    @property
    def message(self) -> Json:
        """The JSON-RPC message it carries."""
        decoded: Json = json.loads(self.data)
        return decoded

    @property
    def is_message(self) -> bool:
        return bool(self.data)


def parse_event(block: str) -> SseEvent:
    """Return the event of one block of lines (HTML Living Standard, section 9.2.6)."""
    fields: dict[str, list[str]] = {}
    for line in block.split("\n"):
        name, _, value = line.partition(":")
        fields.setdefault(name, []).append(value.removeprefix(" "))
    return SseEvent(
        id=fields["id"][-1] if "id" in fields else None,
        data="\n".join(fields.get("data", [])),
        retry=int(fields["retry"][-1]) if "retry" in fields else None,
        comment=fields[""][0] if "" in fields else None,
    )


class EventStream:
    """An open answer whose events are taken one by one as they arrive."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.status = response.status_code
        self._chunks = response.aiter_raw()
        self._text = ""
        self.taken: list[SseEvent] = []
        """Everything read so far, priming events and comments included."""

    @property
    def last_id(self) -> str:
        """The newest event id the client holds."""
        return next(event.id for event in reversed(self.taken) if event.id is not None)

    async def next(self, *, within: float = SECONDS) -> SseEvent | None:
        """Return the next event of any sort, or `None` when the stream has ended."""
        async with asyncio.timeout(within):
            while "\n\n" not in self._text:
                try:
                    chunk = await anext(self._chunks)
                except StopAsyncIteration:
                    return None
                self._text = (self._text + chunk.decode("ascii")).replace("\r\n", "\n")  # the SDK's own line ends
        block, _, self._text = self._text.partition("\n\n")
        event = parse_event(block)
        self.taken.append(event)
        return event

    async def message(self, *, within: float = SECONDS) -> Json:
        """Return the next JSON-RPC message; priming events and comments are passed over."""
        while (event := await self.next(within=within)) is not None:
            if event.is_message:
                return event.message
        raise AssertionError("the stream ended without another message")

    async def until(self, wanted: Callable[[Json], bool], *, within: float = SECONDS) -> Json:
        """Return the first message that is wanted."""
        async with asyncio.timeout(within):
            while True:
                message = await self.message(within=within)
                if wanted(message):
                    return message

    async def drain(self) -> None:
        """Read and forget whatever comes, until the stream ends."""
        async for _ in self._chunks:
            pass

    async def rest(self, *, within: float = SECONDS) -> list[Json]:
        """Return the messages up to the stream's end."""
        found: list[Json] = []
        async with asyncio.timeout(within):
            while (event := await self.next(within=within)) is not None:
                if event.is_message:
                    found.append(event.message)
        return found


class Answer(NamedTuple):
    """A complete answer to a POST."""

    status: int
    headers: httpx.Headers
    events: list[SseEvent]
    """Empty where the body is JSON."""
    text: str

    @property
    def content_type(self) -> str:
        return str(self.headers.get("content-type", "")).partition(";")[0]

    @property
    def messages(self) -> list[Json]:
        """The JSON-RPC messages it carries, in order."""
        if self.content_type == "application/json":
            return [json.loads(self.text)]
        return [event.message for event in self.events if event.is_message]

    @property
    def last(self) -> Json:
        return self.messages[-1]


class Wire:
    """One client of the handshake era."""

    def __init__(self, url: str, http: httpx.AsyncClient, *, token: str | None = None) -> None:
        self.url = url
        self.http = http
        self.session_id: str | None = None
        self.version: str | None = None
        self._token = token
        self._ids = itertools.count(100)

    def headers(self, extra: Mapping[str, str | None] | None = None) -> dict[str, str]:
        """Return the headers of a request; `None` in `extra` leaves one out."""
        chosen: dict[str, str | None] = {
            "accept": "application/json, text/event-stream",
            "content-type": "application/json",
            "mcp-session-id": self.session_id,
            "mcp-protocol-version": self.version,
            "authorization": f"Bearer {self._token}" if self._token else None,
            **(extra or {}),
        }
        return {name: value for name, value in chosen.items() if value is not None}

    # -- whole answers -------------------------------------------------------------------------

    async def post(self, message: object, *, headers: Mapping[str, str | None] | None = None) -> Answer:
        """Post a message (bytes go out as they are) and read the whole answer."""
        body = message if isinstance(message, bytes) else json.dumps(message).encode()
        response = await self.http.post(self.url, content=body, headers=self.headers(headers))
        text = response.text.replace("\r\n", "\n")
        is_sse = response.headers.get("content-type", "").startswith("text/event-stream")
        events = [parse_event(block) for block in text.split("\n\n") if block] if is_sse else []
        return Answer(response.status_code, response.headers, events, text)

    async def initialize(
        self,
        version: str = "2025-11-25",
        *,
        name: str = "wire",
        capabilities: Json | None = None,
        announce: bool = True,
    ) -> Answer:
        """Open a session; `announce` sends `notifications/initialized` as well."""
        answer = await self.post(initialize_message(version, name=name, capabilities=capabilities))
        self.session_id = answer.headers.get("mcp-session-id")
        if "result" in answer.last:
            self.version = answer.last["result"]["protocolVersion"]
            if announce:
                assert (await self.notify("notifications/initialized")).status == 202
        return answer

    async def notify(self, method: str, params: Json | None = None) -> Answer:
        message: Json = {"jsonrpc": "2.0", "method": method}
        return await self.post(message if params is None else {**message, "params": params})

    async def answer(self, request_id: object, result: Json) -> Answer:
        """Answer a request of the server."""
        return await self.post({"jsonrpc": "2.0", "id": request_id, "result": result})

    async def request(self, method: str, params: Json | None = None, *, id: object = None) -> Answer:
        return await self.post(self.request_message(method, params, id=id))

    async def call(self, tool: str, *, id: object = None, **arguments: object) -> Answer:
        return await self.post(self.call_message(tool, id=id, **arguments))

    async def cancel(self, request_id: object, reason: str | None = None) -> Answer:
        params: Json = {"requestId": request_id}
        return await self.notify("notifications/cancelled", params if reason is None else {**params, "reason": reason})

    async def delete(self, *, headers: Mapping[str, str | None] | None = None) -> httpx.Response:
        return await self.http.delete(self.url, headers=self.headers(headers))

    def request_message(self, method: str, params: Json | None = None, *, id: object = None) -> Json:
        chosen = next(self._ids) if id is None else id
        message: Json = {"jsonrpc": "2.0", "id": chosen, "method": method}
        return message if params is None else {**message, "params": params}

    def call_message(self, tool: str, *, id: object = None, token: object = None, **arguments: object) -> Json:
        """Return a `tools/call`; `token` asks for progress."""
        params: Json = {"name": tool, "arguments": arguments}
        if token is not None:
            params["_meta"] = {"progressToken": token}
        return self.request_message("tools/call", params, id=id)

    # -- streams -------------------------------------------------------------------------------

    @asynccontextmanager
    async def streaming(
        self, message: Json, *, headers: Mapping[str, str | None] | None = None
    ) -> AsyncGenerator[EventStream]:
        """Post a request and take its answer's events as they come; leaving drops the connection."""
        body = json.dumps(message).encode()
        async with self.http.stream("POST", self.url, content=body, headers=self.headers(headers)) as response:
            yield EventStream(response)

    @asynccontextmanager
    async def listening(
        self, last_event_id: str | None = None, *, headers: Mapping[str, str | None] | None = None
    ) -> AsyncGenerator[EventStream]:
        """Open the standalone stream, or resume the one `last_event_id` belongs to."""
        extra: dict[str, str | None] = {"accept": "text/event-stream", "content-type": None, **(headers or {})}
        if last_event_id is not None:
            extra["last-event-id"] = last_event_id
        async with self.http.stream("GET", self.url, headers=self.headers(extra)) as response:
            yield EventStream(response)

    async def refused_get(self, last_event_id: str | None = None, **headers: str) -> httpx.Response:
        """Open a stream that is expected to be refused, and return the whole answer."""
        async with asyncio.timeout(SECONDS):
            async with self.listening(last_event_id, headers=headers) as stream:
                assert not stream.response.headers.get("content-type", "").startswith("text/event-stream")
                await stream.response.aread()
                return stream.response


def initialize_message(
    version: str = "2025-11-25", *, id: object = 0, name: str = "wire", capabilities: Json | None = None
) -> Json:
    """Return an `initialize` request."""
    info = {"name": name, "version": "1.0"}
    params = {"protocolVersion": version, "capabilities": capabilities or {}, "clientInfo": info}
    return {"jsonrpc": "2.0", "id": id, "method": "initialize", "params": params}


def text_of(message: Json) -> str:
    """Return the text of a tool's answer."""
    text: str = message["result"]["content"][0]["text"]
    return text


@asynccontextmanager
async def client(url: str, *, token: str | None = None) -> AsyncGenerator[Wire]:
    """Connect a raw client; it has no session yet."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(timeout=SECONDS, limits=limits, trust_env=False, verify=False) as http:
        yield Wire(url, http, token=token)


@asynccontextmanager
async def session(
    url: str,
    version: str = "2025-11-25",
    *,
    token: str | None = None,
    capabilities: Json | None = None,
    name: str = "wire",
) -> AsyncGenerator[Wire, None]:
    """Connect a raw client that has finished its handshake."""
    async with client(url, token=token) as wire:
        answer = await wire.initialize(version, capabilities=capabilities, name=name)
        assert "result" in answer.last, answer.text
        yield wire
