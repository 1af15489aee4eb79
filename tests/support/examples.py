"""Plays the conversations that the examples in docs/examples tell, with real clients of either era.

An example is a server (`mcp`) whose docstring is a conversation in the form of a doctest: each line
calls a tool, and what follows is the text of its answer (`...` stands for anything, `Error: …` for an
answer that is an error). `ben.tool(…)` is another client's call, `ben.hears("…")` waits for a log
message. A line that ends in `# handshake` or `# 2026-07-28` is for clients of that era alone.

In the newer era each client opens a session first and passes its handle along; a server without
`open_session` gets the bundled one. An example that needs more than `attach(mcp)` has a function
`build(settings)` or `build(settings, verifier)` that returns its `Switchroom`. One that asks for access
tokens has `protected(issuer, url)` instead: it is served beside a real authorization server, with clients
that go through the whole OAuth flow. An example whose docstring says `Prints:` is a script instead: it is
run, and prints what follows.
"""

from __future__ import annotations

import ast
import doctest
import importlib.util
import inspect
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from switchroom.server import attach
from switchroom.server.attach import Switchroom
from switchroom.server.tools import sessions
from tests.support.authorization import SCOPES, authorization_server, oauth
from tests.support.clients import Hearing, connected, text_of
from tests.support.console import plain_settings
from tests.support.servers import listening_socket, serving
from tests.support.users import with_ana

ERAS = {"handshake": "legacy", "2026-07-28": "auto"}
"""How a client is told to speak each era."""

OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
_PREFIX = "Error executing tool "


class Line(NamedTuple):
    """One call of a conversation, and what comes back."""

    client: str
    tool: str
    arguments: dict[str, Any]
    era: str
    """Empty where both eras answer the same."""
    source: str
    want: str


def load(path: Path) -> ModuleType:
    """Return an example as a module of its own."""
    name = f"switchroom_example_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Annotations are read back through the module's name.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def is_script(path: Path) -> bool:
    """Whether an example is to be run as it stands, instead of being served."""
    return "Prints:\n" in (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "")


def conversation(docstring: str) -> Iterator[Line]:
    """Return the calls of a docstring."""
    for example in doctest.DocTestParser().get_examples(docstring):
        source, _, note = example.source.strip().partition("  # ")
        call = ast.parse(source, mode="eval").body
        assert isinstance(call, ast.Call), f"{source} calls no tool"
        client, tool = _names(call.func)
        arguments = {str(each.arg): ast.literal_eval(each.value) for each in call.keywords}
        if tool == "hears":
            arguments = {"text": ast.literal_eval(call.args[0])}
        era = note.strip() if note.strip() in ERAS else ""
        yield Line(client, tool, arguments, era, source, example.want)


def _names(function: ast.expr) -> tuple[str, str]:
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
        return function.value.id, function.attr
    assert isinstance(function, ast.Name)
    return "", function.id


class Callers:
    """The clients of one conversation, connected when they first speak."""

    def __init__(self, url: str, era: str, stack: AsyncExitStack, *, uses_tokens: bool = False) -> None:
        self._url = url
        self._uses_tokens = uses_tokens
        self._era = era
        self._stack = stack
        self._known: dict[str, tuple[Client, Hearing, dict[str, Any]]] = {}

    async def say(self, line: Line) -> str:
        """Call the tool and return the text of its answer."""
        client, hearing, own = await self._caller(line.client)
        if line.tool == "hears":
            await hearing.until_logged(line.arguments["text"])
            return ""
        result = await client.call_tool(line.tool, {**own, **line.arguments})
        text = text_of(result) if result.content else ""
        if not result.is_error:
            return text
        return "Error: " + text.removeprefix(f"{_PREFIX}{line.tool}: ")

    async def _caller(self, name: str) -> tuple[Client, Hearing, dict[str, Any]]:
        if name not in self._known:
            mode = ERAS[self._era]
            context = connected(await self._target(), mode=mode, name=name or "example")
            client, hearing = await self._stack.enter_async_context(context)
            own: dict[str, Any] = {}
            if mode == "auto":
                own = {"session_id": text_of(await client.call_tool("open_session", {}))}
            self._known[name] = client, hearing, own
        return self._known[name]

    async def _target(self) -> Any:
        if not self._uses_tokens:
            return self._url
        http = await self._stack.enter_async_context(httpx2.AsyncClient(auth=oauth(self._url)))
        return streamable_http_client(self._url, http_client=http)


async def play(path: Path, era: str, folder: Path) -> list[str]:
    """Play an example's conversation; return where it went otherwise than told.

    Args:
        folder: A new folder, where the example's settings keep what they keep.
    """
    module = load(path)
    async with AsyncExitStack() as stack:
        bound = listening_socket()
        url = f"http://127.0.0.1:{bound.getsockname()[1]}/mcp"
        uses_tokens = hasattr(module, "protected")
        if uses_tokens:
            issuer, _ = await stack.enter_async_context(authorization_server(SCOPES))
            vars(module)["mcp"] = module.protected(issuer, url)
        room = await _build(module, folder)
        await stack.enter_async_context(serving(room.app, before_stop=room.engine.drain, bound=bound))
        callers = Callers(url, era, await stack.enter_async_context(AsyncExitStack()), uses_tokens=uses_tokens)
        return [each for line in conversation(module.__doc__ or "") if (each := await _wrong(callers, line, era))]


async def _wrong(callers: Callers, line: Line, era: str) -> str:
    """Return how an answer differs from what is told; nothing when it does not, or is none of this era."""
    if line.era not in ("", era):
        return ""
    got = await callers.say(line)
    if doctest.OutputChecker().check_output(line.want, got + "\n" if got else "", OPTIONS):
        return ""
    return f"{line.source}\n  expected {line.want!r}\n  got      {got!r}"


async def _build(module: ModuleType, folder: Path) -> Switchroom:
    settings = plain_settings(db=f"sqlite:///{folder}/example.db")
    if hasattr(module, "build"):
        takes_verifier = "verifier" in inspect.signature(module.build).parameters
        room: Switchroom = module.build(settings, *([await with_ana(folder)] if takes_verifier else []))
    else:
        room = attach(module.mcp, settings=settings, verifier=await with_ana(folder))
    # An example need not show how a client of the newer era opens its session.
    if "open_session" not in [tool.name for tool in await module.mcp.list_tools()]:
        sessions.add_to(module.mcp)
    return room
