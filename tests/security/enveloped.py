"""Requests of the newer era whose envelope and routing headers are right, and something else in them is not.

Whatever is wrong with the envelope or the headers is refused at the door; these get past it, to the tool, the log and
the writer of answers.
"""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Iterator
from typing import Any, Final

from tests.security.honest import META, REQUESTS
from tests.security.malformed import NASTY, encode
from tests.security.volley import Case, Headers

_ENVELOPE: Final = encode(META)
_OPTIONAL: Final = (
    "io.modelcontextprotocol/clientInfo",
    "io.modelcontextprotocol/clientCapabilities",
    "io.modelcontextprotocol/logLevel",
    "io.modelcontextprotocol/subscriptionId",
    "progressToken",
    "traceparent",
    "\ud800",
)
_CALL: Final = (("mcp-method", "tools/call"), ("mcp-name", "echo"))


def enveloped(base: Headers, *, label: str, seed: int) -> Iterator[Case]:
    """Give them all, with the headers of an honest client of the era."""
    for name, body, routed in (*_odd_envelopes(), *_odd_names(), *_odd_arguments(), *_odd_texts(), *_odd_ids()):
        yield Case(f"{label}: {name}", body, (*base, *routed))
    honest = _call({"text": "x"})
    for name, headers in _odd_routes():
        yield Case(f"{label}: {name}", honest, (*base, *headers))
    for method in ("GET", "HEAD", "OPTIONS", "DELETE", "PUT"):
        yield Case(f"{label}: {method} that is routed", b"", (*base, *_CALL), method)
    yield from _scrambled(base, label, seed)


def _call(arguments: object, *, id: object = 1, **params: object) -> bytes:
    return _request("tools/call", {"name": "echo", "arguments": arguments, **params}, id=id)


def _request(method: str, params: dict[str, Any], *, id: object = 1) -> bytes:
    return encode({"jsonrpc": "2.0", "id": id, "method": method, "params": {"_meta": META, **params}})


def _routes(method: str, params: dict[str, Any]) -> Headers:
    """Return the routing headers of a request, its name in base64 where a header cannot carry it as it is."""
    name = params.get("name") or params.get("uri")
    if not isinstance(name, str):
        return (("mcp-method", method),)
    coded = f"=?base64?{base64.b64encode(name.encode(errors='surrogatepass')).decode()}?="
    return (("mcp-method", method), ("mcp-name", coded))


def _odd_envelopes() -> Iterator[tuple[str, bytes, Headers]]:
    for member in _OPTIONAL:
        for number, value in enumerate(NASTY):
            meta = {**META, member: value}
            yield f"_meta {member!r} is nasty {number}", _call({"text": "x"}, _meta=meta), _CALL
    for number, value in enumerate(NASTY):
        for part in ("name", "version", "title", "icons"):
            info = {"name": "corpus", "version": "1.0", part: value}
            meta = {**META, "io.modelcontextprotocol/clientInfo": info}
            yield f"clientInfo {part} is nasty {number}", _call({"text": "x"}, _meta=meta), _CALL


def _odd_names() -> Iterator[tuple[str, bytes, Headers]]:
    for method, key in (("tools/call", "name"), ("prompts/get", "name"), ("resources/read", "uri")):
        for number, value in enumerate(NASTY):
            if isinstance(value, str):
                params: dict[str, Any] = {key: value, "arguments": {}}
                yield f"{method} of nasty {number}", _request(method, params), _routes(method, params)


def _odd_arguments() -> Iterator[tuple[str, bytes, Headers]]:
    for number, value in enumerate(NASTY):
        yield f"arguments are nasty {number}", _call(value), _CALL
        yield f"an argument is nasty {number}", _call({"text": value}), _CALL
        yield f"one more argument is nasty {number}", _call({"text": "x", "session_id": value}), _CALL
        key = value if isinstance(value, str) else str(number)
        yield f"an argument is called nasty {number}", _call({"text": "x", key: value}), _CALL
        failing = _request("tools/call", {"name": "fail", "arguments": {"text": value}})
        yield f"a tool fails with nasty {number}", failing, (("mcp-method", "tools/call"), ("mcp-name", "fail"))
    yield "1 MB", _call({"text": "x" * 1_000_000}), _CALL
    yield "1 MB of escapes", _call({"text": "\x01" * 170_000}), _CALL
    yield "100,000 arguments", _call({"text": "x", **{str(number): 0 for number in range(100_000)}}), _CALL


def _odd_texts() -> Iterator[tuple[str, bytes, Headers]]:
    """Give JSON in a way nobody writes it, round a right envelope."""
    values = {
        "NaN": b"NaN",
        "-Infinity": b"-Infinity",
        "1e999": b"1e999",
        "4,300 digits": b"9" * 4_300,
        "4,301 digits": b"9" * 4_301,
        "a half surrogate": b'"\\ud83d"',
        "both halves the wrong way round": b'"\\udca5\\ud83d"',
        "NUL": b'"\\u0000"',
        "a line separator": b'"\xe2\x80\xa8"',
        "a surrogate as UTF-8": b'"\xed\xa0\x80"',
        "a key twice": b'{"a":1,"a":2}',
        "text after a duplicate of it": b'"x","text":"y"',
    } | {f"{depth} lists deep": b"[" * depth + b"]" * depth for depth in (150, 190, 195, 196, 197, 198, 199, 200, 300)}
    for name, value in values.items():
        for tool in ("echo", "fail"):
            body = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"_meta":%s,"name":"%s",' % (
                _ENVELOPE,
                tool.encode(),
            )
            whole = body + b'"arguments":{"text":%s}}}' % value
            yield f"{name} for {tool}", whole, (("mcp-method", "tools/call"), ("mcp-name", tool))
        cursor = b'{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":%s,"cursor":%s}}' % (
            _ENVELOPE,
            value,
        )
        yield f"{name} as a cursor", cursor, (("mcp-method", "tools/list"),)
    twice = b'{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{}},"params":{"_meta":%s}}' % _ENVELOPE
    yield "params twice", twice, (("mcp-method", "tools/list"),)
    yield "padded with 1 MB of blanks", b" " * 500_000 + _call({"text": "x"}) + b"\n" * 500_000, _CALL


def _odd_ids() -> Iterator[tuple[str, bytes, Headers]]:
    for number, value in enumerate((*NASTY, 10**4_000, "=1+1", "x" * 100_000)):
        yield f"the id of a call is nasty {number}", _call({"text": "x"}, id=value), _CALL
    for number in range(20):
        yield f"one id for many {number}", _call({"text": str(number)}, id="same"), _CALL


def _odd_routes() -> Iterator[tuple[str, Headers]]:
    yield "mcp-method twice", (*_CALL, ("mcp-method", "tools/call"))
    yield "mcp-name twice", (*_CALL, ("MCP-Name", "echo"))
    yield "another version as well", (*_CALL, ("mcp-protocol-version", "2025-11-25"))
    yield "counted as a listener", (("mcp-method", "subscriptions/listen"), ("mcp-name", "echo"))
    for value in (
        "=?base64??=",
        "=?base64?ZWNobw==?=",
        "=?base64?%?=",
        "=?base64?" + "A" * 8_000 + "?=",
        "ECHO",
        " echo ",
    ):
        yield f"mcp-name {value[:20]!r}", (("mcp-method", "tools/call"), ("mcp-name", value))
    for value in ("", "x", "\xff", "=?base64?/w==?=", "y" * 8_000):
        yield f"mcp-param-text {value[:20]!r}", (*_CALL, ("mcp-param-text", value))
        yield f"a session id beside it {value[:20]!r}", (*_CALL, ("mcp-session-id", value), ("last-event-id", value))
    yield "500 mcp-param headers", (*_CALL, *((f"mcp-param-{number}", "x") for number in range(500)))
    yield "mcp-param-text twice", (*_CALL, ("mcp-param-text", "x"), ("mcp-param-text", "y"))


def _scrambled(base: Headers, label: str, seed: int) -> Iterator[Case]:
    """Give honest requests in which a few letters of a value are others, so that most of them are still requests."""
    chance = random.Random(seed)
    letters = b'x0-.~"\\[]{}:,\xff\x00 \x1b'
    for count in range(250):
        method, params = chance.choice([(m, p) for m, p in REQUESTS.items() if m != "initialize"])
        body = bytearray(_request(method, {**params, "_meta": {**META, **params.get("_meta", {})}}))
        end = body.rindex(b"_meta") if chance.random() < 0.5 else len(body)
        for _ in range(chance.randint(1, 3)):
            body[chance.randrange(end)] = chance.choice(letters)
        yield Case(f"{label}: scrambled within {seed}/{count}", bytes(body), (*base, *_routes(method, params)))


def is_within(body: bytes) -> bool:
    """Whether an answer comes from behind the door: a result, or an error of what was asked for."""
    try:
        answer = json.loads(body)
    except ValueError:
        return b"stream was opened" in body or b"event: message" in body
    error = answer.get("error")
    return error is None or error["code"] in (-32601, -32603) or error["message"] == "Invalid request parameters"
