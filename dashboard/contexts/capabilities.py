"""What client and server said about themselves: in the handshake, or with every request of the newer era."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, cast

from ..highlight import Rendered, render_json

_CLIENT: Final[Mapping[str, str]] = {
    "sampling": "Answers requests for a model's completion",
    "elicitation": "Asks its user on a tool's behalf",
    "roots": "Tells which folders a tool may use",
    "tasks": "Follows long-running tasks",
    "experimental": "Experimental features",
}
_SERVER: Final[Mapping[str, str]] = {
    "tools": "Offers tools",
    "resources": "Offers resources",
    "prompts": "Offers prompts",
    "logging": "Sends log messages at the level the client sets",
    "completions": "Completes arguments",
    "tasks": "Runs long-running tasks",
    "experimental": "Experimental features",
}
_META: Final = "io.modelcontextprotocol/"


@dataclass(frozen=True, slots=True)
class Capability:
    """One capability."""

    name: ClassVar[str] = "capability"
    key: str
    meaning: str
    detail: str
    """What was declared with it, for example `listChanged`."""
    is_declared: bool


@dataclass(frozen=True, slots=True)
class Declaration:
    """One side's capabilities."""

    name: ClassVar[str] = "declared"
    title: str
    who: str
    """Name and version, as they were given."""
    items: tuple[Capability, ...]
    note: str
    """Why there are none; empty when there are."""


@dataclass(frozen=True, slots=True)
class CapabilityList:
    """The tab."""

    template: ClassVar[str] = "sessions/_capabilities.html"
    name: ClassVar[str] = "caps"
    version: str
    """Which protocol revision was asked for, and which was agreed on."""
    sides: tuple[Declaration, ...]
    params: Rendered | None
    params_title: str


def make_capabilities(
    params: Mapping[str, object] | None, result: Mapping[str, object] | None, meta: Mapping[str, object] | None
) -> CapabilityList:
    """Return the tab: from `initialize` and its answer, or from the latest request of the newer era."""
    if params is None:
        return _modern(meta)
    agreed = _text(result, "protocolVersion") if result is not None else ""
    asked = _text(params, "protocolVersion")
    version = f"The client asked for {asked or 'no revision'}"
    version += f", {agreed} was agreed on." if agreed else "; the log no longer holds the server's answer."
    client = Declaration("Declared by the client", _who(params.get("clientInfo")), _listed(params, _CLIENT), "")
    lost = "" if result is not None else "The answer to initialize has been dropped by retention."
    server = Declaration(
        "Declared by the server",
        _who(result.get("serverInfo")) if result is not None else "",
        _listed(result, _SERVER) if result is not None else (),
        lost,
    )
    return CapabilityList(version, (client, server), render_json(json.dumps(params)), "Parameters of initialize")


def _modern(meta: Mapping[str, object] | None) -> CapabilityList:
    note = "In MCP 2026-07-28 there is no handshake: every request carries its client's capabilities."
    if meta is None:
        missing = Declaration("Declared by the client", "", (), "No kept request says anything about its client.")
        return CapabilityList(note, (missing,), None, "")
    declared = {"capabilities": meta.get(f"{_META}clientCapabilities")}
    client = Declaration(
        "Declared by the client with its latest request",
        _who(meta.get(f"{_META}clientInfo")),
        _listed(declared, _CLIENT),
        "",
    )
    version = f"{note} The latest one speaks {_text(meta, f'{_META}protocolVersion')}."
    return CapabilityList(version, (client,), render_json(json.dumps(dict(meta))), "The latest request's _meta")


def _listed(source: Mapping[str, object], known: Mapping[str, str]) -> tuple[Capability, ...]:
    given = _object(source.get("capabilities"))
    listed = [Capability(key, meaning, _detail(given.get(key)), key in given) for key, meaning in known.items()]
    return (*listed, *(Capability(key, "", _detail(given[key]), True) for key in sorted(set(given) - set(known))))


def _detail(value: object) -> str:
    """Return the names of what is declared inside a capability."""
    return ", ".join(sorted(name for name, on in _object(value).items() if on is not False))


def _who(info: object) -> str:
    given = _object(info)
    return f"{given.get('name', '')} {given.get('version', '')}".strip()


def _text(source: Mapping[str, object], name: str) -> str:
    value = source.get(name)
    return value if isinstance(value, str) else ""


def _object(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
