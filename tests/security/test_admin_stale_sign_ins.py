"""Sign-ins that are over. They open nothing, and their streams end within five seconds."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing

import httpx
import pytest

from switchroom.server.accounts import open_accounts
from switchroom.server.models import Role
from tests.security.operators import add_operator, age_sign_ins, audit_entries, browser, sign_in, signed_in
from tests.support.processes import Served, run_command

pytestmark = pytest.mark.anyio

LIVE = "/admin/live?view=overview"


@asynccontextmanager
async def live(client: httpx.AsyncClient, path: str = LIVE) -> AsyncGenerator[httpx.Response]:
    """Open a live stream and wait for its first bytes."""
    async with client.stream("GET", path, headers={"accept": "text/event-stream"}) as answer:
        assert answer.status_code == 200, await answer.aread()
        yield answer


async def seconds_to_end(answer: httpx.Response) -> float:
    started = time.monotonic()
    async with asyncio.timeout(12):
        async for _ in answer.aiter_raw():
            pass
    return time.monotonic() - started


async def test_signing_out_ends_the_sign_in_and_its_open_stream(plain: Served) -> None:
    async with signed_in(plain, "leaver") as client:
        cookie = dict(client.cookies)
        async with live(client) as stream:
            assert (await client.post("/admin/logout")).status_code == 303
            assert await seconds_to_end(stream) < 6
        async with httpx.AsyncClient(base_url=plain.base, cookies=cookie) as again:
            assert (await again.get("/admin/")).status_code == 303
            assert (await again.get("/api/v1/sessions")).status_code == 401


@pytest.mark.parametrize("command", ["disable", "page", "password"])
async def test_disabling_an_operator_or_a_new_password_ends_what_is_open(plain: Served, command: str) -> None:
    name = f"ended-by-{command}"
    async with signed_in(plain, name) as client, live(client) as stream:
        if command == "disable":
            await asyncio.to_thread(run_command, plain.folder, "operators", "disable", name)
        elif command == "page":
            await disable_on_the_page(plain, name)
        else:
            await change_password(plain, name)
        assert await seconds_to_end(stream) < 6
        assert (await client.get("/admin/")).status_code == 303
        if command != "password":
            async with browser(plain, address="127.0.0.7") as again:
                assert (await sign_in(again, name)).status_code == 401


async def disable_on_the_page(served: Served, name: str) -> None:
    async with signed_in(served, "the-admin", Role.ADMIN) as admin:
        form = {"reason": "left the company"}
        answer = await admin.post(f"/admin/operators/{name}/disabling", data=form)
        assert answer.status_code == 303, answer.text


async def test_what_the_command_line_changes_is_in_the_audit_log_of_the_running_server(plain: Served) -> None:
    made = await asyncio.to_thread(
        run_command, plain.folder, "tokens", "create", "--name", "noted-token", "--role", "viewer"
    )
    entries: list[dict[str, object]] = []
    async with asyncio.timeout(10):
        while not entries:
            entries = [each for each in await audit_entries(plain) if each["target"] == "noted-token"]
    (entry,) = entries
    assert (entry["action"], entry["outcome"]) == ("create_token", "done")
    assert str(entry["actor"]).startswith("command line (") and made.splitlines()[-1] not in str(entry)


async def change_password(served: Served, name: str) -> None:
    accounts = open_accounts(f"sqlite:///{served.folder}/switchroom.db")
    await accounts.open()
    await accounts.operators.set_password(name, "another horse battery")
    await accounts.close()


async def test_a_revoked_token_ends_what_it_has_open(plain: Served) -> None:
    secret = run_command(plain.folder, "tokens", "create", "--name", "short-lived", "--role", "viewer").splitlines()[-1]
    headers = {"authorization": f"Bearer {secret}"}
    async with httpx.AsyncClient(base_url=plain.base, headers=headers, timeout=15) as client:
        async with live(client, "/api/v1/live") as stream:
            await asyncio.to_thread(run_command, plain.folder, "tokens", "revoke", "short-lived")
            assert await seconds_to_end(stream) < 6
        assert (await client.get("/api/v1/sessions")).status_code == 401


async def test_a_token_that_has_expired_opens_nothing(plain: Served) -> None:
    made = run_command(plain.folder, "tokens", "create", "--name", "old", "--role", "admin", "--expires", "1m")
    headers = {"authorization": f"Bearer {made.splitlines()[-1]}"}
    async with httpx.AsyncClient(base_url=plain.base, headers=headers) as client:
        assert (await client.get("/api/v1/sessions")).status_code == 200
        with closing(sqlite3.connect(plain.folder / "switchroom.accounts.db")) as connection:
            connection.execute("UPDATE token SET expires = expires - 61 WHERE name = 'old'")
            connection.commit()
        assert (await client.get("/api/v1/sessions")).status_code == 401


@pytest.mark.parametrize(
    ("column", "seconds", "status"), [("seen", 29 * 60, 200), ("seen", 31 * 60, 303), ("created", 12 * 3600 + 60, 303)]
)
async def test_a_sign_in_ends_when_idle_and_after_twelve_hours(
    plain: Served, column: str, seconds: float, status: int
) -> None:
    name = f"aged-{column}-{seconds}"
    async with signed_in(plain, name) as client:
        age_sign_ins(plain, name, column, seconds)
        assert (await client.get("/admin/")).status_code == status


async def test_an_open_stream_ends_with_its_idle_sign_in_and_does_not_keep_it_alive(plain: Served) -> None:
    async with signed_in(plain, "watcher") as client:
        async with live(client) as stream:
            age_sign_ins(plain, "watcher", "seen", 31 * 60)
            assert await seconds_to_end(stream) < 6
        assert (await client.get("/admin/")).status_code == 303


async def test_a_cookie_from_before_the_sign_in_opens_nothing_after_it(plain: Served) -> None:
    await add_operator(plain, "fixated")
    planted = "planted-by-somebody-else-0123456789-0123456789"
    async with browser(plain) as victim:
        victim.cookies.set("switchroom", planted, domain="127.0.0.1")
        answer = await sign_in(victim, "fixated")
        assert answer.status_code == 303 and planted not in answer.headers["set-cookie"]
    async with httpx.AsyncClient(base_url=plain.base, cookies={"switchroom": planted}) as attacker:
        assert (await attacker.get("/admin/")).status_code == 303


async def test_every_sign_in_ends_the_one_before_in_the_same_browser(plain: Served) -> None:
    async with signed_in(plain, "twice") as client:
        first = dict(client.cookies)
        assert (await sign_in(client, "twice")).status_code == 303
        assert dict(client.cookies) != first
        async with httpx.AsyncClient(base_url=plain.base, cookies=first) as old:
            assert (await old.get("/admin/")).status_code == 303


async def test_the_file_of_accounts_holds_no_secret(plain: Served) -> None:
    token = plain.token("viewer")
    async with signed_in(plain, "stored") as client:
        cookie = client.cookies["switchroom"]
        raw = (plain.folder / "switchroom.accounts.db").read_bytes()
        assert cookie.encode() not in raw and token.encode() not in raw and b"correct horse" not in raw
        assert (plain.folder / "switchroom.accounts.db").stat().st_mode & 0o077 == 0
