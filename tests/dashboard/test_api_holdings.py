"""What a session holds, seen and ended through the API."""

from __future__ import annotations

import time

import pytest

from switchroom.server.models import Role, SignedIn
from tests.support.console import Console

pytestmark = pytest.mark.anyio


async def test_a_sign_in_is_shown_and_ended_and_a_viewer_may_not(api: Console) -> None:
    mcp, script, viewer = api.mcp_client(), await api.script(), await api.script(Role.VIEWER, "viewer")
    await mcp.initialize()
    (live,) = api.room.engine.live()
    live.record.signed_in = SignedIn("ana", time.time(), time.time() + 60, "stamp")
    path = f"/api/v1/sessions/{live.record.id}"
    assert (await script.get(path)).json()["signed_in_as"] == "ana"
    assert (await viewer.post(f"{path}/sign-out", json={"reason": "x"})).status_code == 403
    assert (await script.post(f"{path}/sign-out", json={"reason": "left"})).json()["user"] == "ana"
    assert (await script.post(f"{path}/sign-out", json={"reason": "left"})).json()["user"] is None
    shown = (await script.get(path)).json()
    assert (shown["signed_in_as"], shown["signed_in_until"]) == (None, None)


async def test_resources_are_listed_and_closed(api: Console) -> None:
    mcp, script, viewer = api.mcp_client(), await api.script(), await api.script(Role.VIEWER, "viewer")
    await mcp.initialize()
    await mcp.call("create_managed_resource", resource_type="file")
    (live,) = api.room.engine.live()
    path = f"/api/v1/sessions/{live.record.id}/resources"
    folder, file = (await viewer.get(path)).json()["items"]
    assert (folder["name"], folder["kind"]) == ("session folder", "callback")
    assert (file["name"], file["kind"], file["is_owned"]) == ("file-1.txt", "TextIOWrapper", True)
    closing = f"{path}/{file['id']}/closing"
    assert (await viewer.post(closing, json={"reason": "x"})).status_code == 403
    assert (await script.post(closing, json={})).status_code == 422
    closed = (await script.post(closing, json={"reason": "leaks"})).json()
    assert (closed["name"], closed["problem"]) == ("file-1.txt", None)
    assert (await script.post(closing, json={"reason": "leaks"})).json()["name"] is None
    assert [item["name"] for item in (await script.get(path)).json()["items"]] == ["session folder"]
