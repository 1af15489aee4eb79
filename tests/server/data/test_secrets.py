"""Secret values: sealed in the store, opened for their own session and key alone."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr

from switchroom.server import Settings, attach
from switchroom.server.attach import Switchroom
from switchroom.server.data import SessionData
from switchroom.server.engine.session import LiveSession
from switchroom.server.errors import CannotOpen, Forbidden, NotFound, Unsupported
from switchroom.server.models import Actor, EventKind, Role, SessionKind
from switchroom.server.sealing import make_key
from switchroom.server.store import EventQuery, KeyLimits
from switchroom.server.store.memory import MemoryStore
from switchroom.server.tools import bundled_server
from tests.support.clients import connected, text_of
from tests.support.servers import running

pytestmark = pytest.mark.anyio

KEYS = make_key("k1")
ADMIN = Actor("ann", Role.ADMIN)
OPERATOR = Actor("bob", Role.OPERATOR)


class Login(BaseModel):
    name: str
    password: SecretStr


@asynccontextmanager
async def room(**settings: Any) -> AsyncGenerator[Switchroom]:
    chosen: dict[str, Any] = {"db": "memory:", "secret_keys": KEYS, **settings}
    built = attach(bundled_server(), settings=Settings(**chosen))
    async with built.running():
        yield built


def session_of(built: Switchroom, secret: str = "s") -> LiveSession:
    return built.engine.open(SessionKind.HANDLE, secret, server="bundled")


async def test_a_secret_is_read_back_and_nothing_of_it_is_kept_in_the_open() -> None:
    async with room() as built:
        session = session_of(built)
        data = SessionData(built.engine, session)
        stored = await data.set("token", "hunter2", secret=True)
        assert (stored.value, stored.key_id, stored.size_bytes) == (None, "k1", 9)
        assert await data.get("token") == "hunter2"
        assert b"hunter2" not in (await built.store.keys.sealed(session.record.no, "token") or b"")
        page = await built.store.events.read(session.record.no, EventQuery(kinds=(EventKind.KEY,)))
        assert "hunter2" not in repr(page.events)
        change: dict[str, Any] = json.loads(page.events[0].payload or "")
        assert change["key_id"] == "k1" and "value" not in change


async def test_a_typed_secret_keeps_what_its_secret_fields_hold() -> None:
    async with room() as built:
        data = SessionData(built.engine, session_of(built))
        await data.set("login", Login(name="ann", password=SecretStr("hunter2")), secret=True)
        login = await data.get("login", as_type=Login)
        assert login is not None and login.password.get_secret_value() == "hunter2"


async def test_what_is_a_secret_stays_one_until_it_is_deleted() -> None:
    async with room() as built:
        session = session_of(built)
        data = SessionData(built.engine, session)
        await data.set("token", "a", secret=True)
        assert (await data.set("token", "b")).key_id == "k1"
        operated = await built.operations.set_key(OPERATOR, session.record.id, "token", "c")
        assert operated.key_id == "k1" and await data.get("token") == "c"
        await data.delete("token")
        assert (await data.set("token", "d")).key_id is None


async def test_a_row_copied_to_another_session_or_key_does_not_open() -> None:
    async with room() as built:
        one, two = session_of(built, "one"), session_of(built, "two")
        await SessionData(built.engine, one).set("token", "hunter2", secret=True)
        sealed = await built.store.keys.sealed(one.record.no, "token")
        for session, name in ((two, "token"), (one, "other")):
            await built.store.keys.put(
                session.record.no, name, None, sealed=sealed, key_id="k1", size_bytes=1, limits=KeyLimits()
            )
            with pytest.raises(CannotOpen, match="cannot be opened here"):
                await SessionData(built.engine, session).get(name)


async def test_without_a_key_ring_a_secret_is_refused_and_nothing_is_stored() -> None:
    async with room(secret_keys=None) as built:
        session = session_of(built)
        with pytest.raises(Unsupported, match="switchroom keys new"):
            await SessionData(built.engine, session).set("token", "hunter2", secret=True)
        assert await built.directory.keys(session.record.id) == []


async def test_only_an_admin_reveals_and_every_try_is_in_the_audit_log() -> None:
    async with room() as built:
        session = session_of(built)
        await SessionData(built.engine, session).set("token", "hunter2", secret=True)
        with pytest.raises(Forbidden):
            await built.operations.reveal_key(OPERATOR, session.record.id, "token")
        assert await built.operations.reveal_key(ADMIN, session.record.id, "token") == '"hunter2"'
        with pytest.raises(NotFound):
            await built.operations.reveal_key(ADMIN, session.record.id, "other")
        entries = await built.directory.audit(action="reveal_key")
        assert [(entry.actor, entry.outcome) for entry in entries] == [
            ("ann", "refused"),
            ("ann", "done"),
            ("bob", "refused"),
        ]
        assert "hunter2" not in repr(entries)


async def test_a_past_value_is_revealed_from_its_event() -> None:
    async with room() as built:
        session = session_of(built)
        data = SessionData(built.engine, session)
        await data.set("token", "first", secret=True)
        await data.set("token", "second", secret=True)
        (past,) = (await built.directory.keys_at(session.record.id, session.record.last_seq - 1)).keys
        assert past.is_secret and past.value is None and past.seq is not None
        reveal = built.operations.reveal_key
        assert await reveal(ADMIN, session.record.id, "token", event_seq=past.seq) == '"first"'
        for name, seq in (("other", past.seq), ("token", 999)):
            with pytest.raises(NotFound):
                await reveal(ADMIN, session.record.id, name, event_seq=seq)


async def test_a_keys_time_is_changed_and_its_value_and_secrecy_stay() -> None:
    async with room() as built:
        session = session_of(built)
        data = SessionData(built.engine, session)
        await data.set("token", "hunter2", secret=True)
        stored = await built.operations.set_key_ttl(OPERATOR, session.record.id, "token", 60)
        assert stored.expires_at is not None and stored.key_id == "k1" and stored.version == 2
        assert await data.get("token") == "hunter2"
        assert (await built.operations.set_key_ttl(OPERATOR, session.record.id, "token", None)).expires_at is None
        with pytest.raises(NotFound):
            await built.operations.set_key_ttl(OPERATOR, session.record.id, "other", 60)


@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_the_guides_sensitive_tools_work_in_both_eras(mode: str) -> None:
    store = MemoryStore()
    async with (
        running(bundled_server(), store=store, secret_keys=KEYS) as site,
        connected(site.url, mode=mode) as (client, _),
    ):
        handle = {} if mode == "legacy" else {"session_id": text_of(await client.call_tool("open_session", {}))}

        async def call(tool: str, **arguments: str) -> str:
            return text_of(await client.call_tool(tool, {**arguments, **handle}))

        assert await call("retrieve_sensitive_data", key="pin") == "No data found for key: pin"
        assert await call("store_sensitive_data", key="pin", value="9731") == "Securely stored data for key: pin"
        assert await call("retrieve_sensitive_data", key="pin") == "Retrieved: 9731"
        assert await call("get_session_data", key="pin") == "pin is a secret: use retrieve_sensitive_data"
        assert await call("forget_sensitive_data", key="pin") == "Forgot data for key: pin"
        assert await call("forget_sensitive_data", key="pin") == "No data found for key: pin"
