"""Groups and blocks in the JSON API."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from switchroom.server.models import Role
from tests.support.console import Console, running_console

pytestmark = pytest.mark.anyio


@pytest.fixture
async def console() -> AsyncIterator[Console]:
    async with running_console() as running:
        yield running


async def test_groups_are_read_and_a_member_is_removed(console: Console) -> None:
    script = await console.script()
    caller = console.mcp_client()
    await caller.initialize("one")
    await caller.call("join_coordination", group="planners")
    (group,) = (await script.get("/api/v1/groups")).json()["items"]
    assert group == (await script.get("/api/v1/groups/planners")).json() and group["name"] == "planners"
    path = f"/api/v1/groups/planners/members/{group['members'][0]['session_id']}/removal"
    assert (await script.post(path, json={"reason": "noise"})).json() == {"removed": True}
    assert (await script.get("/api/v1/groups/planners")).status_code == 404


async def test_somebody_is_blocked_and_let_in_again(console: Console) -> None:
    script = await console.script()
    caller = console.mcp_client()
    await caller.initialize("bot")
    body = {"kind": "client", "value": "bot", "reason": "abuse", "seconds": 60, "ends_sessions": True}
    made = await script.post("/api/v1/blocks", json=body)
    assert made.status_code == 201 and made.json()["expired_count"] == 1 and not made.json()["replaced"]
    assert (await script.post("/api/v1/blocks", json={**body, "kind": "colour"})).status_code == 422
    assert (await script.post("/api/v1/blocks", json={**body, "kind": "address"})).status_code == 422
    with pytest.raises(AssertionError, match="Blocked by an operator"):
        await console.mcp_client().initialize("bot")
    (listed,) = (await script.get("/api/v1/blocks")).json()["items"]
    assert (listed["value"], listed["refused"]) == ("bot", 1)
    lifting = f"/api/v1/blocks/{listed['id']}/lifting"
    assert (await script.post(lifting, json={"reason": "sorted out"})).json()["id"] == listed["id"]
    assert (await script.post(lifting, json={"reason": "again"})).status_code == 404
    await console.mcp_client().initialize("bot")


async def test_a_viewers_token_reads_and_changes_nothing(console: Console) -> None:
    viewer = await console.script(Role.VIEWER, "watch")
    assert (await viewer.get("/api/v1/blocks")).json() == {"items": []}
    body = {"kind": "client", "value": "bot", "reason": "abuse"}
    assert (await viewer.post("/api/v1/blocks", json=body)).status_code == 403
    assert (await viewer.post("/api/v1/clients/X/listen-streams/closing", json={"reason": "r"})).status_code == 403
