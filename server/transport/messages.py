"""JSON-RPC on the wire: reading a body, naming what it is, writing answers.

2025-11-25, basic, messages: one object per POST; ids are strings or integers and never null.
"""

from __future__ import annotations

import json
import logging
from typing import Any, NamedTuple, cast

import pydantic_core

from ..engine.calls import EarlyAnswer

logger = logging.getLogger(__name__)

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603


class Malformed(Exception):
    """A body that is not one JSON-RPC message; becomes HTTP 400 with a JSON-RPC error."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Message(NamedTuple):
    """One JSON-RPC message from a client."""

    kind: str
    """`request`, `notification` or `answer`."""
    raw: dict[str, Any]
    method: str
    """Empty on an answer."""
    params: dict[str, Any] | None
    id: str | int | None
    key: str
    """The id as JSON text; empty on a notification."""
    text: str
    """The message as JSON text in ASCII, for the log."""


def read_message(body: bytes, max_depth: int, *, with_halves: bool = False) -> Message:
    """Parse and classify one POST body.

    Args:
        with_halves: Whether strings may hold half a surrogate pair, such as a cut emoji, in an escape.

    Raises:
        Malformed: It is not JSON, nested too deep, or not one JSON-RPC 2.0 message.
    """
    try:
        raw = from_json(body) if with_halves else pydantic_core.from_json(body)
    except (ValueError, RecursionError) as error:
        raise Malformed(PARSE_ERROR, f"Parse error: {error}") from None
    if not isinstance(raw, dict):
        raise Malformed(INVALID_PARAMS, "Validation error: the body must be one JSON-RPC object, not a batch")
    message = cast("dict[str, Any]", raw)
    if message.get("jsonrpc") != "2.0":
        raise Malformed(INVALID_PARAMS, 'Validation error: "jsonrpc" must be "2.0"')
    # Counting brackets is an upper bound, and costs next to nothing.
    if body.count(b"{") + body.count(b"[") >= max_depth and _depth(message, max_depth) >= max_depth:
        raise Malformed(PARSE_ERROR, f"Parse error: nested deeper than {max_depth} levels")
    return _classify(message, _text(body, message))


def from_json(text: str | bytes) -> Any:
    """Return the value of a JSON text, in which escapes may be half a surrogate pair: our own texts may.

    Raises:
        ValueError: It is not JSON.
        RecursionError: It is nested too deep.
    """
    try:
        return pydantic_core.from_json(text)
    except ValueError as error:
        if "surrogate" not in str(error) and "hex escape" not in str(error):
            raise
    return json.loads(text if isinstance(text, str) else text.decode())


def _text(body: bytes, message: dict[str, Any]) -> str:
    """Return a body as the log keeps it: as it was sent where that is JSON in ASCII already, which most are."""
    if body.isascii() and b"NaN" not in body and b"Infinity" not in body:
        return body.decode("ascii")
    return encode(message)


def _classify(raw: dict[str, Any], text: str) -> Message:
    params = raw.get("params")
    if "method" in raw:
        method = raw["method"]
        if not isinstance(method, str):
            raise Malformed(INVALID_PARAMS, 'Validation error: "method" must be a string')
        if params is not None and not isinstance(params, dict):
            raise Malformed(INVALID_PARAMS, 'Validation error: "params" must be an object')
        if "id" not in raw:
            return Message("notification", raw, method, params, None, "", text)
        return Message("request", raw, method, params, raw["id"], _id_key(raw["id"]), text)
    if "result" in raw or "error" in raw:
        if raw.get("id") is None and "error" in raw:
            return Message("answer", raw, "", None, None, "", text)
        return Message("answer", raw, "", None, raw.get("id"), _id_key(raw.get("id")), text)
    raise Malformed(INVALID_PARAMS, 'Validation error: neither "method" nor "result" nor "error" is there')


def _id_key(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Malformed(INVALID_REQUEST, 'Invalid Request: "id" must be a string or an integer')
    return id_text(value)


def id_text(value: str | int) -> str:
    """Return a JSON-RPC id as JSON text, so that `5` and `"5"` stay apart."""
    return json.dumps(value) if isinstance(value, str) else str(value)


def _is_nested(value: object) -> bool:
    return isinstance(value, dict | list)


def _depth(value: dict[str, Any], limit: int) -> int:
    """Return the nesting depth of `value`, at most `limit`; iterative, so hostile depth costs no stack."""
    depth = 0
    level: list[object] = [value]
    while level and depth < limit:
        depth += 1
        below: list[object] = []
        for item in level:
            inside = cast("dict[str, object]", item).values() if isinstance(item, dict) else cast("list[object]", item)
            below.extend(filter(_is_nested, inside))
        level = below
    return depth


def encode(message: dict[str, Any]) -> str:
    """Return a message as JSON text in ASCII: what goes on the wire is what the log keeps."""
    try:
        # NaN and infinities are not JSON (RFC 8259, section 6): they become null.
        text = pydantic_core.to_json(message, inf_nan_mode="null")
    except ValueError:
        return json.dumps(message, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    if text.isascii():  # five times as fast as `json.dumps`
        return text.decode("ascii")
    return json.dumps(from_json(text), separators=(",", ":"), ensure_ascii=True)


class AnswerText(NamedTuple):
    """An answer as it goes on the wire and into the log."""

    is_error: bool
    text: str
    error_code: int | None
    """As `models.Event.error_code`."""


def answer_text(key: str, outcome: dict[str, Any] | EarlyAnswer) -> AnswerText:
    """Return the text of an outcome; one without a JSON form becomes an error, and is logged."""
    try:
        if isinstance(outcome, EarlyAnswer):
            return AnswerText(True, error_text(key, outcome.code, outcome.message, outcome.data), outcome.code)
        failed = outcome.get("isError") is True
        return AnswerText(failed, result_text(key, outcome), 0 if failed else None)
    except (TypeError, ValueError, RecursionError):
        logger.exception("the answer to request %s has no JSON form", key)
        message = "The server's answer has no JSON form"
        return AnswerText(True, error_text(key, INTERNAL_ERROR, message), INTERNAL_ERROR)


def result_text(key: str, result: dict[str, Any]) -> str:
    """Return the text of a result; `key` is the request's id as JSON text."""
    return f'{{"jsonrpc":"2.0","id":{key},"result":{encode(result)}}}'


def error_text(key: str, code: int, message: str, data: object = None) -> str:
    """Return the text of an error; `key` is the request's id as JSON text, or `null`."""
    error: dict[str, Any] = {"code": code, "message": message}
    if data is not None:
        error["data"] = data
    return f'{{"jsonrpc":"2.0","id":{key},"error":{encode(error)}}}'
