"""Viewers and operators who try more than they may. They are told 403, nothing happens, and it is recorded."""

from __future__ import annotations

from typing import Any

import pytest

from switchroom.server.models import Role
from tests.security.operators import audit_entries, endpoints, signed_in
from tests.security.tally import Tally
from tests.support.processes import Served
from tests.support.wire import session

pytestmark = pytest.mark.anyio

HARMLESS = (
    *("/logout", "/login", "/login/link", "/health/diagnosis", "/sessions/lookup", "/sessions/diagnosis"),
    *("/account/password", "/views", "/views/1", "/views/1/deletion"),
)
"""Writes in form only, and what is the reader's own: their sign-in, their password, their saved views."""


async def test_a_viewer_acts_nowhere_and_every_try_is_recorded(plain: Served, tally: Tally) -> None:
    async with signed_in(plain, "onlooker", Role.VIEWER) as client, session(plain.mcp) as wire:
        found = await client.post("/api/v1/sessions/lookup", json={"mcp_session_id": wire.session_id})
        writes = [
            each
            for each in endpoints(session_id=found.json()["id"])
            if each.is_write and not each.path.endswith(HARMLESS)
        ]
        assert len(writes) > 15
        for endpoint in writes:
            is_api = endpoint.path.startswith("/api/")
            body: dict[str, Any] = (
                {"json": {"reason": "x"}} if is_api else {"data": {"reason": "x", "text": "x", "filter": ""}}
            )
            answer = await client.request(endpoint.method, endpoint.path, **body)
            tally.judge([] if answer.status_code == 403 else [f"{endpoint}: {answer.status_code} {answer.text[:100]}"])
            tally.refuse()
        entries = [each for each in await audit_entries(plain) if each["actor"] == "onlooker"]
        refused = [each for each in entries if each["outcome"] == "refused"]
        assert len(refused) == len(writes)
        assert (await wire.call("echo", text="alive")).status == 200


async def test_an_operator_is_no_admin(plain: Served) -> None:
    async with signed_in(plain, "climber") as client, session(plain.mcp) as wire:
        found = await client.post("/api/v1/sessions/lookup", json={"mcp_session_id": wire.session_id})
        reveal = f"/api/v1/sessions/{found.json()['id']}/key-revelations"
        answer = await client.post(reveal, json={"key": "k", "password": "correct horse battery"})
        assert answer.status_code == 403
        assert (await client.post("/api/v1/key-rotations", json={})).status_code == 403
