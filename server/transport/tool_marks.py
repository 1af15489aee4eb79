"""Which tools of one mounted server have secrets, decided once for each tool and not for each call."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final, cast

from mcp_types import ListToolsResult

from ..marks import KEYWORD, Marks, marks_of

logger = logging.getLogger(__name__)

_AGAIN_SECONDS: Final = 1.0
"""An unknown tool has a server that adds tools on its way asked again, at most this often."""

_ALL: Final = marks_of({KEYWORD: True}, {KEYWORD: True})

ListTools = Callable[[], Awaitable[Iterable[Any]]]


class ToolMarks:
    """Marks by tool name, read from the schemas that the server lists."""

    def __init__(self) -> None:
        self._marks: dict[str, Marks | None] = {}
        self._list_tools: ListTools | None = None
        self._is_stale = True
        self._is_complete = False
        """Whether the server tells of every change, so that an unknown name is no tool."""
        self._loaded_at = 0.0
        self.is_listed = False
        """Whether any list was read; a low-level server has one only when a client asks for it."""

    def follow(self, list_tools: ListTools, *, is_complete: bool) -> None:
        """Read the marks from `list_tools` when they are needed next."""
        self._list_tools = list_tools
        self._is_complete = is_complete
        self._is_stale = True

    @property
    def is_followed(self) -> bool:
        """Whether the server itself can be asked for its tools."""
        return self._list_tools is not None

    def changed(self) -> None:
        """The server's tools have changed: read them again before the next call."""
        self._is_stale = True

    def find(self, name: object) -> Marks | None:
        """Return a tool's marks; `None` when it has none.

        Of a tool that is not known yet, by a server that adds tools on its way, everything counts as secret.
        """
        if not isinstance(name, str):
            return None
        is_unknown = self._list_tools is not None and not self._is_complete and name not in self._marks
        return _ALL if is_unknown else self._marks.get(name)

    def must_load(self, name: object) -> bool:
        """Whether `load` has to be awaited before a call of that tool."""
        is_unknown = not self.knows(name)
        if self._list_tools is None:
            is_due = name is not None and time.monotonic() - self._loaded_at >= _AGAIN_SECONDS
            return is_unknown and (is_due or not self.is_listed)
        return self._is_stale or (not self._is_complete and is_unknown)

    def knows(self, name: object) -> bool:
        """Whether a tool was on a list that was read."""
        return isinstance(name, str) and name in self._marks

    def asked(self) -> None:
        """A server that cannot be followed was asked for its tools, for the sake of one that was not known."""
        self._loaded_at = time.monotonic()

    async def listed(self) -> Iterable[Any]:
        """Return the tools of a server that can be asked for them, as it describes them."""
        return await self._list_tools() if self._list_tools is not None else ()

    async def load(self) -> None:
        """Read every tool's schemas; a server that fails to list them keeps the marks known so far."""
        now = time.monotonic()
        if self._list_tools is None or (not self._is_stale and now - self._loaded_at < _AGAIN_SECONDS):
            return
        self._loaded_at = now
        self._is_stale = False
        try:
            tools = await self._list_tools()
        except Exception:
            logger.exception("the server's tools could not be listed: marks of secrets are those known before")
            self._is_stale = True
            return
        if self._is_complete:
            self._marks.clear()
        for tool in tools:
            schema = getattr(tool, "input_schema", None)
            self._learn(
                tool.name,
                schema if schema is not None else getattr(tool, "parameters", None),
                getattr(tool, "output_schema", None),
            )
        self.is_listed = True

    def learn(self, result: object) -> None:
        """Take the schemas from the result of a `tools/list` that passes."""
        if isinstance(result, Mapping):
            for tool in cast("Mapping[str, Any]", result).get("tools") or ():
                self._learn(tool["name"], tool.get("inputSchema"), tool.get("outputSchema"))
        elif isinstance(result, ListToolsResult):
            for listed in result.tools:
                self._learn(listed.name, listed.input_schema, listed.output_schema)
        self.is_listed = True

    def _learn(self, name: str, input_schema: Any, output_schema: Any) -> None:
        self._marks[name] = marks_of(input_schema, output_schema)
