"""Malformed requests. None is answered with a 5xx, none hangs, and no session is lost over them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager

import httpx
import pytest

from tests.security.conftest import SETTINGS, TARGET, assert_alive
from tests.security.corpus import corpus
from tests.security.enveloped import enveloped, is_within
from tests.security.honest import ACCEPT, HANDSHAKE, JSON_BODY, MODERN
from tests.security.older import older
from tests.security.tally import Tally
from tests.security.tokens import signed_token
from tests.security.volley import SECONDS, Case, Headers, Outcome, fire, problems
from tests.support.processes import Served, serving
from tests.support.wire import Wire, session, text_of

pytestmark = pytest.mark.anyio

BASE: Headers = (ACCEPT, JSON_BODY)


@pytest.fixture(scope="module")
def in_memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that keeps everything in its process."""
    with serving(tmp_path_factory.mktemp("memory"), f"{TARGET}:plain", **SETTINGS, db="memory:") as served:
        yield served
        assert_alive(served)


@pytest.fixture(scope="module")
def older_too(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that speaks HTTP+SSE as well."""
    with serving(tmp_path_factory.mktemp("older"), f"{TARGET}:plain", "--sse", **SETTINGS) as served:
        yield served
        assert_alive(served)


@asynccontextmanager
async def unharmed(served: Served, token: str | None) -> AsyncGenerator[Wire]:
    """Give a session that has stored a key and must still be there, key included, after the attack."""
    async with session(served.mcp, token=token, name="bystander") as wire:
        await wire.call("set_session_data", key="colour", value="green")
        yield wire
        assert "green" in text_of((await wire.call("get_session_data", key="colour")).last)


def count(tally: Tally, outcomes: list[Outcome]) -> None:
    """Count what came back: below 300 was a client's right after all."""
    tally.refuse(sum(1 for each in outcomes if 300 <= each.status < 500 or each.status == 0))
    tally.serve(sum(1 for each in outcomes if 100 <= each.status < 300))
    tally.judge(problems(outcomes))


async def strike(served: Served, tally: Tally, cases: list[Case], token: str | None = None) -> list[Outcome]:
    """Send a corpus while a bystander is at work, and count what came of it."""
    async with unharmed(served, token):
        outcomes = await fire(served.port, cases)
        assert len(outcomes) == len(cases)
        count(tally, outcomes)
    return outcomes


def bearer(token: str) -> Headers:
    return (("authorization", f"Bearer {token}"),)


async def test_the_corpus_has_more_than_a_thousand_cases() -> None:
    cases = list(corpus(BASE, label="x"))
    assert len(cases) > 1_300
    assert len({case.name for case in cases}) == len(cases)
    assert [case.wire(1) for case in cases] == [case.wire(1) for case in corpus(BASE, label="x")]


async def test_without_a_session(plain: Served, tally: Tally) -> None:
    await strike(plain, tally, list(corpus(BASE, label="no session")))


async def test_inside_a_session(plain: Served, tally: Tally) -> None:
    async with session(plain.mcp, name="attacker") as wire:
        await wire.call("set_session_data", key="kept", value="yes")
        own = (("mcp-session-id", wire.session_id or ""), ("mcp-protocol-version", HANDSHAKE))
        cases = [each for each in corpus((*BASE, *own), label="session", seed=8) if each.method != "DELETE"]
        outcomes = await strike(plain, tally, cases)
        assert "yes" in text_of((await wire.call("get_session_data", key="kept")).last)
        tally.judge(answered_wrongly(outcomes))


async def test_in_the_newer_era(plain: Served, tally: Tally) -> None:
    base = (*BASE, ("mcp-protocol-version", MODERN))
    await strike(plain, tally, list(corpus(base, label="modern", is_modern=True, seed=9)))


async def test_in_the_newer_era_behind_a_right_envelope(plain: Served, tally: Tally) -> None:
    base = (*BASE, ("mcp-protocol-version", MODERN))
    cases = list(enveloped(base, label="within", seed=12))
    assert len({case.name for case in cases}) == len(cases) > 950
    outcomes = await strike(plain, tally, cases)
    within = sum(1 for each in outcomes if is_within(each.body))
    assert within > 600, f"{within} of {len(cases)} got past the door"


@pytest.mark.parametrize("era", [HANDSHAKE, MODERN])
async def test_with_the_store_in_memory(in_memory: Served, tally: Tally, era: str) -> None:
    """Every second case: the store is asked by what gets past the parsers, which is the smaller part."""
    async with session(in_memory.mcp, name="attacker") as wire:
        version: Headers = (("mcp-protocol-version", era),)
        own = version if era == MODERN else (("mcp-session-id", wire.session_id or ""), *version)
        cases = list(corpus((*BASE, *own), label=f"memory {era}", is_modern=era == MODERN, seed=10))
        await strike(in_memory, tally, [each for each in cases[::2] if each.method != "DELETE"])
        assert text_of((await wire.call("echo", text="still here")).last) == "still here"


async def test_over_the_older_transport(older_too: Served, tally: Tally) -> None:
    async with httpx.AsyncClient(timeout=SECONDS) as http, older(older_too.base, http) as wire:
        await wire.initialize("attacker")
        path = wire.endpoint.removeprefix(older_too.base)
        cases = [each._replace(path=path) for each in corpus(BASE, label="older", seed=11) if each.method != "DELETE"]
        reading = asyncio.create_task(wire.stream.drain())
        await strike(older_too, tally, cases[::2])
        async with older_too.api() as api:
            (session_now,) = (await api.get("/sessions", params={"q": "transport:sse"})).json()["items"]
        assert (session_now["state"], session_now["client"]["name"]) == ("initialized", "attacker")
        reading.cancel()


async def test_a_session_of_the_older_transport_is_not_taken_over_from_inside(older_too: Served) -> None:
    async with httpx.AsyncClient(timeout=SECONDS) as http, older(older_too.base, http) as wire:
        await wire.initialize("first")
        again = await wire.initialize("second")
        assert again.status_code == 400 and "initialized already" in again.text
        assert (await wire.call(7, "pause", seconds=1)).status_code == 202
        twice = await wire.call(7, "echo", text="in its place")
        assert twice.status_code == 400 and "still in flight" in twice.text
        assert text_of(await wire.stream.message()) == "rested"


@pytest.mark.parametrize("era", [HANDSHAKE, MODERN])
async def test_with_a_token(guarded: Served, tally: Tally, era: str) -> None:
    token = signed_token("mallory")
    base = (*BASE, *bearer(token), ("mcp-protocol-version", era))
    cases = corpus(base, label=f"token {era}", is_modern=era == MODERN, seed=10)
    await strike(guarded, tally, list(cases), signed_token("bystander"))


@pytest.mark.parametrize("era", [HANDSHAKE, MODERN])
async def test_without_the_token_that_is_asked_for(guarded: Served, tally: Tally, era: str) -> None:
    base = (*BASE, ("mcp-protocol-version", era))
    outcomes = await strike(guarded, tally, list(corpus(base, label=f"no token {era}")), signed_token("bystander"))
    tally.judge(str(each) for each in outcomes if each.status not in (0, 400, 401, 413, 431, 501))


def answered_wrongly(outcomes: list[Outcome]) -> list[str]:
    """Return requests with a usable id that got 200 and neither a result nor an error."""
    return [
        str(each)
        for each in outcomes
        if each.status == 200
        and each.case.method == "POST"
        and not any(w in each.body for w in (b"result", b"error"))
        and b"stream was opened" not in each.body
    ]
