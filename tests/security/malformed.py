"""The parts of a malformed request: messages, bodies, headers."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator
from typing import Any, Final, cast

from tests.security.honest import NOTIFICATIONS, REQUESTS
from tests.security.volley import Headers

NASTY: Final[tuple[Any, ...]] = (
    None,
    True,
    False,
    0,
    -1,
    1.5,
    1e308,
    -0.0,
    2**31,
    2**63,
    2**64,
    10**400,
    "",
    " ",
    "\x00",
    "\r\nset-cookie: x=y",
    "\ud800",
    "\u202e\u2066",
    "\x1b[31m",
    "<script>alert(1)</script>",
    "' OR 1=1 --",
    "../../../etc/passwd",
    "{{7*7}}",
    "%s%n",
    "x" * 10_000,
    "\U0001f4a5" * 300,
    [],
    {},
    [[]],
    {"a": {"b": {}}},
    [None] * 1_000,
    {str(number): number for number in range(500)},
    {"__proto__": {"admin": True}},
    {"__class__": "x", "": None},
)
"""Values that no field of a message means to hold."""


def messages(*, with_initialize: bool = True) -> Iterator[tuple[str, Any]]:
    """Give malformed messages as values: a field at a time is nasty, absent or twisted."""
    for name, value in enumerate(NASTY):
        yield f"body is nasty {name}", value
        for field in ("jsonrpc", "id", "method", "params"):
            message: dict[str, Any] = {"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {}, field: value}
            yield f"{field} is nasty {name}", message
        yield f"an answer with id nasty {name}", {"jsonrpc": "2.0", "id": value, "result": {}}
        yield f"an error that is nasty {name}", {"jsonrpc": "2.0", "id": 1, "error": value}
        yield f"a result that is nasty {name}", {"jsonrpc": "2.0", "id": 1, "result": value}
    for method, params in REQUESTS.items():
        if method == "initialize" and not with_initialize:
            continue
        for where, twisted in _twisted(params):
            yield (
                f"{method} {where}",
                {"jsonrpc": "2.0", "id": f"{method} {where}", "method": method, "params": twisted},
            )
    for method, params in NOTIFICATIONS.items():
        for where, twisted in _twisted(params):
            yield f"{method} {where}", {"jsonrpc": "2.0", "method": method, "params": twisted}


def _twisted(params: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Give params with one place changed, at every depth."""
    yield "as it should not be: a list", [params]
    for path in _paths(params):
        yield f"without {'.'.join(path)}", _without(params, path)
        for number, value in enumerate(NASTY[:: 3 if len(path) > 1 else 1]):
            yield f"{'.'.join(path)} is nasty {number}", _with(params, path, value)


def _paths(value: dict[str, Any], before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, inner in value.items():
        yield (*before, name)
        yield from _paths(members(inner), (*before, name))


def _without(value: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    if len(path) == 1:
        return {name: inner for name, inner in value.items() if name != path[0]}
    return {**value, path[0]: _without(value[path[0]], path[1:])}


def _with(value: dict[str, Any], path: tuple[str, ...], new: Any) -> dict[str, Any]:
    return {**value, path[0]: new if len(path) == 1 else _with(value[path[0]], path[1:], new)}


def encode(message: Any) -> bytes:
    """Return a message as JSON."""
    return json.dumps(message).encode()


def bodies() -> Iterator[tuple[str, bytes]]:
    """Give bodies that are no JSON, or JSON in a way nobody writes it."""
    good = encode({"jsonrpc": "2.0", "id": 1, "method": "ping"})
    yield from {
        "empty": b"",
        "blank": b" \r\n\t",
        "NUL": b"\x00",
        "not UTF-8": b'{"jsonrpc":"2.0","id":1,"method":"\xff\xfe"}',
        "UTF-16": good.decode().encode("utf-16"),
        "UTF-32": good.decode().encode("utf-32"),
        "a byte order mark": b"\xef\xbb\xbf" + good,
        "overlong UTF-8": good.replace(b"ping", b"\xc0\xaf"),
        "a surrogate as UTF-8": good.replace(b"ping", b"\xed\xa0\x80"),
        "NaN": good.replace(b"1", b"NaN", 1),
        "Infinity as id": b'{"jsonrpc":"2.0","id":Infinity,"method":"ping"}',
        "1e999": b'{"jsonrpc":"2.0","id":1e999,"method":"ping"}',
        "5,000 digits": b'{"jsonrpc":"2.0","id":%s,"method":"ping"}' % (b"9" * 5_000),
        "5,000 digits in params": b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":%s}}' % (b"9" * 5_000),
        "a key twice": b'{"jsonrpc":"2.0","id":1,"id":2,"method":"ping","method":"tools/list"}',
        "a comment": b"/* x */" + good,
        "a comma too many": good[:-1] + b",}",
        "single quotes": good.replace(b'"', b"'"),
        "two messages": good + good,
        "a form": b"jsonrpc=2.0&id=1&method=ping",
        "XML": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
        "gzip": gzip.compress(good, mtime=0),
        "a gzip bomb": gzip.compress(b"0" * 10_000_000, mtime=0),
        "random bytes": random.Random(6).randbytes(10_000),
    }.items()
    for depth in (199, 200, 201, 1_000, 5_000, 100_000):
        yield (
            f"{depth} lists deep",
            b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":%s%s}}'
            % (
                b"[" * depth,
                b"]" * depth,
            ),
        )
        yield (
            f"{depth} objects deep",
            b'{"jsonrpc":"2.0","id":1,"method":"ping","params":%s1%s}'
            % (
                b'{"a":' * depth,
                b"}" * depth,
            ),
        )
        yield f"{depth} lists that do not end", b"[" * depth
    for end in range(1, len(good), 3):
        yield f"cut after {end} bytes", good[:end]


def header_cases(base: Headers) -> Iterator[tuple[str, Headers, str]]:
    """Give headers that are wrong, and methods that are not served: name, headers, HTTP method."""
    for value in ("", "text/plain", "application/xml", "application/json; charset=utf-16", "application/jsonx", "*/*"):
        yield f"content type {value!r}", _replaced(base, "content-type", value), "POST"
    for value in (
        "",
        "text/html",
        "application/json",
        "text/event-stream",
        "*/*;q=0",
        "x" * 5_000,
        "application/json,,",
    ):
        yield f"accept {value[:20]!r}", _replaced(base, "accept", value), "POST"
    for value in ("", "x", "2024-01-01", "9999-99-99", "2025-11-25,2026-07-28", "2026-07-28 ", "\xff\xfe", "0" * 9_000):
        yield f"version {value[:20]!r}", _replaced(base, "mcp-protocol-version", value), "POST"
    for name in ("mcp-session-id", "mcp-method", "mcp-name", "last-event-id", "mcp-param-x", "origin", "authorization"):
        for value in ("", "x", "\xff\x80", "a" * 8_000, "' OR 1=1 --", "%00", "../..", "null", "=?utf-8?b?/w==?="):
            if name != "authorization" or value:
                yield f"{name} {value[:20]!r}", _replaced(base, name, value), "POST"
        yield f"{name} twice", (*base, (name, "a"), (name, "b")), "POST"
    for value in ("gzip", "deflate", "br", "identity", "gzip, gzip"):
        yield f"content encoding {value}", (*base, ("content-encoding", value)), "POST"
    for value in ("-1", "abc", "1e3", "99999999999999999999", "0x10", "+5"):
        yield f"content length {value}", (*base, ("content-length", value)), "POST"
    for value in ("identity", "gzip, chunked", "chunked, chunked", "x"):
        yield f"transfer encoding {value}", (*base, ("transfer-encoding", value)), "POST"
    yield "a length and chunks", (*base, ("content-length", "5"), ("transfer-encoding", "chunked")), "POST"
    yield "2,000 headers", (*base, *((f"x-{number}", "y") for number in range(2_000))), "POST"
    yield "a header of 60 kB", (*base, ("x-long", "y" * 60_000)), "POST"
    yield "a websocket", (*base, ("connection", "upgrade"), ("upgrade", "websocket")), "GET"
    for method in ("PUT", "PATCH", "OPTIONS", "HEAD", "TRACE", "FOO", "GET", "DELETE", "get", "PROPFIND"):
        yield f"method {method}", base, method


def _replaced(base: Headers, name: str, value: str) -> Headers:
    return (*(pair for pair in base if pair[0] != name), (name, value))


def members(value: object) -> dict[str, Any]:
    """Return an object's members; none where it is no object."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
