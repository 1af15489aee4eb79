"""Guessed passwords. Guessing is slow, recorded, tells nothing, and locks nobody else out."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Iterator

import pytest

from tests.security.conftest import SETTINGS, TARGET
from tests.security.operators import add_operator, audit_entries, browser, sign_in
from tests.security.tally import Tally
from tests.support.processes import Served, serving

pytestmark = pytest.mark.anyio


@pytest.fixture
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server where nobody has tried anything yet."""
    with serving(tmp_path_factory.mktemp("fresh"), f"{TARGET}:plain", **SETTINGS) as served:
        yield served


async def test_twenty_wrong_passwords_are_limited_and_recorded_while_another_signs_in(
    fresh: Served, tally: Tally
) -> None:
    await add_operator(fresh, "target")
    await add_operator(fresh, "colleague")
    async with browser(fresh, address="127.0.0.2") as guesser, browser(fresh) as colleague:
        guesses = asyncio.gather(*(sign_in(guesser, "target", f"guess number {n}") for n in range(20)))
        assert (await sign_in(colleague, "colleague")).status_code == 303
        answers = await guesses
        assert {answer.status_code for answer in answers} == {401, 429}
        limited = [answer for answer in answers if answer.status_code == 429]
        assert len(limited) >= 15
        assert all(int(answer.headers["retry-after"]) > 0 for answer in limited)
        tally.refuse(len(answers))
        entries = [e for e in await audit_entries(fresh) if e["action"] == "sign_in" and e["outcome"] == "refused"]
        assert len(entries) == 20
        assert (await sign_in(guesser, "target")).status_code == 429
        assert (await colleague.get("/admin/")).status_code == 200


async def test_an_account_that_is_guessed_at_from_everywhere_stays_open_to_its_own_address(fresh: Served) -> None:
    await add_operator(fresh, "target")
    async with browser(fresh) as own:
        assert (await sign_in(own, "target")).status_code == 303
    for number in range(2, 12):
        async with browser(fresh, address=f"127.0.0.{number}") as guesser:
            for _ in range(3):
                await sign_in(guesser, "target", "wrong wrong wrong")
    async with browser(fresh) as own:
        assert (await sign_in(own, "target")).status_code == 303


async def test_known_and_unknown_names_are_answered_alike_and_as_slowly(fresh: Served) -> None:
    await add_operator(fresh, "known")
    bodies: dict[str, set[str]] = {"known": set(), "other": set()}
    seconds: dict[str, list[float]] = {"known": [], "other": []}
    for number in range(2, 6):
        async with browser(fresh, address=f"127.0.0.{number}") as guesser:
            for name in ("known", "other"):
                started = time.monotonic()
                answer = await sign_in(guesser, name, "wrong wrong wrong")
                seconds[name].append(time.monotonic() - started)
                assert answer.status_code == 401
                bodies[name].add(answer.text.replace(name, "NAME"))
    assert bodies["known"] == bodies["other"] and len(bodies["known"]) == 1
    known, other = (statistics.median(seconds[name]) for name in ("known", "other"))
    assert 0.2 < known / other < 5, "an unknown name costs no password hash"


@pytest.mark.parametrize("password", ["", "x" * 100_000, "\x00", "correct horse battery\x00", "\ud83d\udca5" * 9])
async def test_odd_passwords_are_wrong_passwords(fresh: Served, password: str) -> None:
    await add_operator(fresh, "target")
    async with browser(fresh) as guesser:
        data = {"operator": "target", "password": password.encode("utf-8", "surrogatepass").decode("utf-8", "replace")}
        assert (await guesser.post("/admin/login", data=data)).status_code == 401


async def test_a_one_time_link_cannot_be_guessed_or_used_twice(tmp_path_factory: pytest.TempPathFactory) -> None:
    with serving(tmp_path_factory.mktemp("link"), f"{TARGET}:plain") as served:
        token = served.sign_in_link.rpartition("=")[2]
        async with browser(served) as guesser:
            for guess in ("", "x", token[:-1], token + "A", token.swapcase(), "' OR 1=1 --"):
                assert (await guesser.post("/admin/login/link", data={"token": guess})).status_code in (410, 422)
            assert (await guesser.get("/admin/login/link", params={"token": token})).status_code == 200
            assert (await guesser.post("/admin/login/link", data={"token": token})).status_code == 303
        async with browser(served) as second:
            assert (await second.post("/admin/login/link", data={"token": token})).status_code == 410
            assert (await second.get("/admin/")).status_code == 303
