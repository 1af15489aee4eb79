"""Input that is too large, too deep or too clever. It is refused before it costs anything."""

from __future__ import annotations

import gzip
import json

import psutil
import pytest

from tests.security.honest import ACCEPT, HANDSHAKE, JSON_BODY, META, MODERN
from tests.security.neighbours import modern_headers
from tests.security.tally import Tally
from tests.security.volley import Case, Headers, fire, fire_one
from tests.support.processes import Served
from tests.support.wire import session, text_of

pytestmark = pytest.mark.anyio

LIMIT = 4 * 1024 * 1024


def echo_of(size: int) -> bytes:
    """Return a call of `echo`, good in both eras, whose body has exactly so many bytes."""
    params = {"name": "echo", "arguments": {"text": ""}, "_meta": META}
    empty = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).encode()
    return empty.replace(b'"text": ""', b'"text": "%s"' % (b"x" * (size - len(empty))))


def chunked(body: bytes) -> bytes:
    parts = [body[at : at + 100_000] for at in range(0, len(body), 100_000)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def headers_for(era: str, session_id: str) -> Headers:
    if era == MODERN:
        return tuple(modern_headers("tools/call", name="echo").items())
    return (ACCEPT, JSON_BODY, ("mcp-session-id", session_id), ("mcp-protocol-version", HANDSHAKE))


@pytest.mark.parametrize("era", [HANDSHAKE, MODERN])
async def test_a_body_one_byte_too_large_is_413_however_it_comes(plain: Served, tally: Tally, era: str) -> None:
    async with session(plain.mcp) as wire:
        headers = headers_for(era, wire.session_id or "")
        assert (await fire_one(plain.port, Case("at the limit", echo_of(LIMIT), headers))).status == 200
        large = echo_of(LIMIT + 1)
        cases = [
            Case("one byte more", large, headers),
            Case("one byte more in chunks", chunked(large), (*headers, ("transfer-encoding", "chunked"))),
            Case("announced and never sent", b"", (*headers, ("content-length", str(LIMIT + 1)))),
            Case("announced with twenty digits", b"", (*headers, ("content-length", "9" * 20))),
        ]
        outcomes = await fire(plain.port, cases, connections=1)
        tally.judge(str(each) for each in outcomes if each.status not in (413, 0))
        tally.refuse(len(outcomes))
        assert outcomes[2].status == outcomes[3].status == 413
        assert text_of((await wire.call("echo", text="here")).last) == "here"


@pytest.mark.parametrize("era", [HANDSHAKE, MODERN])
async def test_what_is_too_deep_or_compressed_is_400(plain: Served, tally: Tally, era: str) -> None:
    memory = psutil.Process(plain.process.pid)
    async with session(plain.mcp) as wire:
        headers = headers_for(era, wire.session_id or "")
        before = memory.memory_info().rss
        encoded = (*headers, ("content-encoding", "gzip"))
        bomb = gzip.compress(b'{"a":"' + b"0" * 300_000_000 + b'"}', 1, mtime=0)
        cases = [
            Case("5,000 lists", b"[" * 5_000 + b"]" * 5_000, headers),
            Case("5,000 objects", b'{"a":' * 5_000 + b"1" + b"}" * 5_000, headers),
            Case("a million lists", b"[" * 1_000_000, headers),
            Case("a gzip bomb", bomb, encoded),
            Case("an honest body in gzip", gzip.compress(echo_of(500), mtime=0), encoded),
        ]
        outcomes = await fire(plain.port, cases)
        tally.judge(str(each) for each in outcomes if each.status not in (400, 413, 415))
        tally.refuse(len(outcomes))
        assert memory.memory_info().rss - before < 100_000_000
        assert text_of((await wire.call("echo", text="here")).last) == "here"


async def test_heads_and_addresses_out_of_all_proportion_are_refused(plain: Served, tally: Tally) -> None:
    cases = [
        Case("a header of 1 MB", b"", (("x-long", "y" * 1_000_000),), "GET", "/healthz"),
        Case("100,000 headers", b"", tuple((f"x-{n}", "y") for n in range(100_000)), "GET", "/healthz"),
        Case("an address of 1 MB", b"", (), "GET", "/healthz?" + "x" * 1_000_000),
        Case("a header that is folded", b"", (("x-a", "b\r\n c"),), "GET", "/healthz"),
        Case("a header without a name", b"", (("", "x"),), "GET", "/healthz"),
        Case("a header with NUL", b"", (("x-a", "\x00"),), "GET", "/healthz"),
    ]
    outcomes = await fire(plain.port, cases, connections=2)
    tally.judge(str(each) for each in outcomes if each.is_fault)
    tally.refuse(len(outcomes))
    unwanted = [str(each) for each in outcomes if each.status not in (0, 400, 431) and "folded" not in each.case.name]
    assert unwanted == []
