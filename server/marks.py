"""What is secret in a tool's arguments and results: how authors mark it, and how it is masked.

A mark is read from the tool's JSON schemas, so it works for every kind of server: `SecretStr` says
`"writeOnly": true` there, `Annotated[..., Secret()]` says `"x-secret": true`, and a hand-written schema
may say either.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, MutableSequence
from typing import Any, Final, NamedTuple, cast

from pydantic import GetJsonSchemaHandler
from pydantic_core import CoreSchema

from .logs import MASK, without_quoted_input

KEYWORD: Final = "x-secret"

_MIN_ECHO: Final = 4
"""A shorter secret is masked where it is marked, and not wherever its few characters turn up."""

_DEFS: Final = "#/$defs/"
_BRANCHES: Final = ("anyOf", "oneOf", "allOf")


__all__ = ["KEYWORD", "MASK", "Marks", "Mask", "Secret", "marks_of", "without"]


class Secret:
    """Marks an argument, a result, or a field of either: `Annotated[str, Secret()]`.

    It is masked before anything is written to the session's log. On a plain value (`-> Annotated[str,
    Secret()]`) it marks the whole result; of a model or a dictionary, mark the members.
    """

    def __get_pydantic_json_schema__(self, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(core_schema), KEYWORD: True}


class Mask:
    """Where secrets are in a JSON value: all of it, or some members or items."""

    __slots__ = ("entries", "is_whole", "items", "members")

    def __init__(self) -> None:
        self.is_whole = False
        self.members: dict[str, Mask] = {}
        self.items: Mask | None = None
        """Of every item of an array."""
        self.entries: Mask | None = None
        """Of every member of an object that `members` does not name."""

    def apply(self, value: Any, found: MutableSequence[str]) -> Any:
        """Return the value with its secrets masked, and add to `found` what they were."""
        if value is None:
            return None
        if self.is_whole:
            _collect(value, found)
            return MASK
        if isinstance(value, dict):
            members = cast("dict[str, Any]", value)
            return {name: self._member(name, member, found) for name, member in members.items()}
        if isinstance(value, list):
            inside = self.items
            items = cast("list[object]", value)
            return items if inside is None else [inside.apply(item, found) for item in items]
        # A client may send an object or an array as JSON text, which hides its members from us.
        if isinstance(value, str) and (self.members or self.items or self.entries):
            _collect(value, found)
            return MASK
        return value

    def _member(self, name: str, value: Any, found: MutableSequence[str]) -> Any:
        mask = self.members.get(name, self.entries)
        return value if mask is None else mask.apply(value, found)

    def has_marks(self, seen: set[int] | None = None) -> bool:
        """Whether anything is marked; schemas may refer to themselves."""
        known: set[int] = set() if seen is None else seen
        if id(self) in known:
            return False
        known.add(id(self))
        below = [*self.members.values(), self.items, self.entries]
        return self.is_whole or any(mask is not None and mask.has_marks(known) for mask in below)


class Marks(NamedTuple):
    """What is secret in the calls of one tool."""

    arguments: Mask | None
    result: Mask | None
    """Of its structured content."""


def marks_of(input_schema: Mapping[str, Any] | None, output_schema: Mapping[str, Any] | None) -> Marks | None:
    """Return the marks of a tool's schemas, or `None` when nothing is secret."""
    marks = Marks(_mask_of(input_schema), _mask_of(output_schema))
    return None if marks == (None, None) else marks


def _mask_of(schema: Mapping[str, Any] | None) -> Mask | None:
    if schema is None:
        return None
    mask = _Reader(schema).read(schema)
    return mask if mask.has_marks() else None


class _Reader:
    """Reads one schema; a definition is read once, so that it may refer to itself."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._definitions = _mapping(root.get("$defs"))
        self._known: dict[str, Mask] = {}

    def read(self, schema: Any, into: Mask | None = None) -> Mask:
        mask = Mask() if into is None else into
        if not isinstance(schema, Mapping):
            return mask
        node = cast("Mapping[str, Any]", schema)
        if node.get(KEYWORD) is True or node.get("writeOnly") is True or node.get("format") == "password":
            mask.is_whole = True
        reference = node.get("$ref")
        if isinstance(reference, str) and reference.startswith(_DEFS):
            target = self._definition(reference.removeprefix(_DEFS))
            if into is None and len(node) == 1:
                return target
            _join(mask, target)
        for name, member in _mapping(node.get("properties")).items():
            mask.members[name] = self.read(member)
        if "items" in node:
            mask.items = self.read(node["items"])
        for item in _list(node.get("prefixItems")):
            mask.items = self.read(item, mask.items)  # one mask for all: which item is which may change
        if isinstance(node.get("additionalProperties"), Mapping):
            mask.entries = self.read(node["additionalProperties"])
        for branches in _BRANCHES:
            for branch in _list(node.get(branches)):
                _join(mask, self.read(branch))
        return mask

    def _definition(self, name: str) -> Mask:
        if name not in self._known:
            mask = self._known[name] = Mask()
            self.read(self._definitions.get(name), mask)
        return self._known[name]


def _join(mask: Mask, other: Mask) -> None:
    """Let `mask` cover what `other` covers too."""
    mask.is_whole = mask.is_whole or other.is_whole
    for name, member in other.members.items():
        if name in mask.members and mask.members[name] is not member:
            _join(mask.members[name], member)
        else:
            mask.members[name] = member
    mask.items = mask.items or other.items
    mask.entries = mask.entries or other.entries


def _mapping(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def _list(value: object) -> list[Any]:
    return cast("list[object]", value) if isinstance(value, list) else []


def _collect(value: Any, found: MutableSequence[str]) -> None:
    """Add every text and number in a value to `found`, to be looked for where it is echoed."""
    if isinstance(value, dict):
        for member in cast("dict[str, Any]", value).values():
            _collect(member, found)
    elif isinstance(value, list):
        for item in cast("list[object]", value):
            _collect(item, found)
    elif isinstance(value, str | int | float) and not isinstance(value, bool) and len(text := str(value)) >= _MIN_ECHO:
        found.append(text)


def without(secrets: list[str], value: Any) -> Any:
    """Return a JSON value with every occurrence of the secrets masked, in names and inside texts too."""
    if isinstance(value, str):
        return _text_without(secrets, value)
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        return {_text_without(secrets, name): without(secrets, member) for name, member in members.items()}
    if isinstance(value, list):
        return [without(secrets, item) for item in cast("list[object]", value)]
    if isinstance(value, int | float) and not isinstance(value, bool) and str(value) in secrets:
        return MASK
    return value


def _text_without(secrets: list[str], text: str) -> str:
    for secret in sorted(secrets, key=len, reverse=True):
        for form in {
            secret,
            json.dumps(secret)[1:-1],
            json.dumps(secret, ensure_ascii=False)[1:-1],
            repr(secret)[1:-1],
        }:
            if form in text:
                text = text.replace(form, MASK)
    return without_quoted_input(text) if secrets else text
