"""Errors together: grouped by their code and what was called, from the logs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple, cast

from ..data.failing import FAILURE_KEY
from ..models import ErrorGroup, Event

_RPC: Final[Mapping[int, str]] = MappingProxyType(
    {
        -32700: "parse_error",
        -32600: "invalid_request",
        -32601: "method_not_found",
        -32602: "invalid_params",
        -32603: "internal_error",
        -32001: "session_ended",
        -32800: "cancelled",
    }
)
_INVALID: Final = re.compile(r"\d+ validation errors? for ")
_CRASH: Final = re.compile(r"Error executing tool \S+")
_TOOL: Final = re.compile(r"Error executing tool ([^\s:]+)")
_PREFIX: Final = re.compile(r"Error executing tool (\S+): ")
_MAX_MESSAGE: Final = 300

ERRORS_READ: Final = 1_000
"""Errors looked at for one answer: enough to see what is wrong now, and bounded whatever their size."""


class Told(NamedTuple):
    """What an error's answer tells its client."""

    code: str
    message: str
    tool: str = ""
    """The tool that failed, where the answer names it."""


class FailedCall(NamedTuple):
    """One answer that tells an error."""

    event: Event
    session_id: str


def read_failure(event: Event) -> Told:
    """Return the code and the sentence of an answer that tells an error; one that was cut has its number's code."""
    message = _member(_parsed(event.payload), "error")
    if message:
        code = message.get("code")
        stated = _member(message, "data").get("code")
        named = stated if isinstance(stated, str) and stated else _rpc_code(code)
        return Told(named, str(message.get("message", ""))[:_MAX_MESSAGE])
    result = _member(_parsed(event.payload), "result")
    if not result:
        return Told(_rpc_code(event.error_code), "")
    text = _first_text(result)
    stated = _member(_member(result, "_meta"), FAILURE_KEY).get("code")
    code = stated if isinstance(stated, str) else _tool_code(text)
    tool = _TOOL.match(text)
    return Told(code, _PREFIX.sub("", text)[:_MAX_MESSAGE], tool[1] if tool is not None else "")


def group_failures(calls: Iterable[FailedCall]) -> list[ErrorGroup]:
    """Return groups of one code and one target each, the most frequent first, newest before older."""
    groups: dict[tuple[str, str], ErrorGroup] = {}
    sessions: dict[tuple[str, str], set[str]] = {}
    for event, session_id in calls:
        told = read_failure(event)
        target = told.tool or event.method or ""
        key = (told.code, target)
        sessions.setdefault(key, set()).add(session_id)
        known = groups.get(key)
        if known is None or event.at >= known.last_at:
            first = event.at if known is None else known.first_at
            count = 1 if known is None else known.times + 1
            last = (event.at, told.message, session_id, event.seq)
            groups[key] = ErrorGroup(told.code, target, count, 0, first, *last)
        else:
            groups[key] = known._replace(times=known.times + 1, first_at=min(known.first_at, event.at))
    counted = [group._replace(sessions=len(sessions[key])) for key, group in groups.items()]
    return sorted(counted, key=lambda group: (-group.times, -group.last_at))


def _rpc_code(code: object) -> str:
    if not isinstance(code, int) or code == 0:
        return "tool_error"
    return _RPC.get(code, f"rpc_{code}")


def _tool_code(text: str) -> str:
    if _CRASH.fullmatch(text):
        return "tool_crashed"
    if _INVALID.search(text):
        return "invalid_arguments"
    return "unknown_tool" if text.startswith("Unknown tool") else "tool_error"


def _parsed(payload: str | None) -> dict[str, Any]:
    try:
        found: object = json.loads(payload or "null")
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def _member(owner: dict[str, Any], name: str) -> dict[str, Any]:
    found: object = owner.get(name)
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def _first_text(result: dict[str, Any]) -> str:
    content: object = result.get("content")
    for each in cast("list[object]", content) if isinstance(content, list) else []:
        text = cast("dict[str, object]", each).get("text") if isinstance(each, dict) else None
        if isinstance(text, str):
            return text
    return ""
