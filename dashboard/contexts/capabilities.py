"""What a client said about itself when it opened the session."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from ..highlight import Rendered, render_json
from ..jsontext import object_of

_KNOWN: Final[Mapping[str, str]] = {
    "sampling": "Answers requests for a model's completion",
    "elicitation": "Asks its user on a tool's behalf",
    "roots": "Tells which folders a tool may use",
    "tasks": "Follows long-running tasks",
    "experimental": "Experimental features",
}


@dataclass(frozen=True, slots=True)
class Capability:
    """One capability of the client."""

    name: ClassVar[str] = "capability"
    key: str
    meaning: str
    is_declared: bool


@dataclass(frozen=True, slots=True)
class CapabilityList:
    """The tab."""

    template: ClassVar[str] = "sessions/_capabilities.html"
    name: ClassVar[str] = "caps"
    items: tuple[Capability, ...]
    params: Rendered | None
    note: str


def make_capabilities(params: Mapping[str, object] | None) -> CapabilityList:
    """Return the tab; `params` are those of `initialize`, `None` where there was none."""
    if params is None:
        note = (
            "This session was not opened by initialize. In MCP 2026-07-28 every request carries its own capabilities; "
            "see the events."
        )
        return CapabilityList((), None, note)
    names = set(object_of(json.dumps(params.get("capabilities"))))
    listed = [Capability(key, meaning, key in names) for key, meaning in _KNOWN.items()]
    listed += [Capability(key, "", True) for key in sorted(names - set(_KNOWN))]
    return CapabilityList(tuple(listed), render_json(json.dumps(params)), "")
