"""The API's acting half: expire, replay, cancel, broadcast, and what the audit log says of it."""

from __future__ import annotations

import asyncio
from typing import Any

import anyio
import httpx2
import pytest

from switchroom.server.models import Role
from tests.support.console import Console, McpCaller

pytestmark = pytest.mark.anyio

NOTHING = "NOSUCHSESSION"


async def opened(api: Console, script: httpx2.AsyncClient, name: str = "tester") -> tuple[McpCaller, str]:
    """Open a session and return it with its public reference."""
    mcp = api.mcp_client()
    await mcp.initialize(name)
    found = await script.post("/api/v1/sessions/lookup", json={"mcp_session_id": mcp.secret})
    return mcp, found.json()["id"]


async def test_an_expired_session_is_gone_for_its_client_with_the_reason(api: Console) -> None:
    script = await api.script()
    mcp, session_id = await opened(api, script)
    answer = await script.post(f"/api/v1/sessions/{session_id}/expiration", json={"reason": "maintenance"})
    assert answer.status_code == 200
    assert answer.json()["expired"] == [session_id] and answer.json()["expired_count"] == answer.json()["matched"] == 1
    refused = await mcp.call("list_session_keys")
    assert refused.status_code == 404 and "maintenance" in refused.text
    session = (await script.get(f"/api/v1/sessions/{session_id}")).json()
    assert (session["state"], session["activity"]) == ("expired", None)
    assert (session["end_code"], session["end_by"], session["end_reason"]) == ("operator", "script", "maintenance")
    assert session["ended_at"] and session["expires_at"] is None


async def test_twenty_at_once_expire_a_session_once(api: Console) -> None:
    script = await api.script()
    _, session_id = await opened(api, script)
    path = f"/api/v1/sessions/{session_id}/expiration"
    answers = await asyncio.gather(*(script.post(path, json={"reason": "race"}) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    results = [answer.json() for answer in answers]
    assert sum(result["expired_count"] for result in results) == 1
    assert sum(result["already_ended_count"] for result in results) == 19


async def test_a_filter_expires_what_it_matches_and_leaves_the_exceptions(api: Console) -> None:
    script = await api.script()
    ids = [(await opened(api, script, "acme-agent"))[1] for _ in range(3)]
    _, other = await opened(api, script, "other")
    body = {"filter": "client:acme*", "reason": "maintenance", "expected": 2, "exclude": ids[:1]}
    answer = await script.post("/api/v1/expirations", json=body)
    assert answer.status_code == 200 and sorted(answer.json()["expired"]) == sorted(ids[1:])
    live = (await script.get("/api/v1/sessions?q=state:live")).json()["items"]
    assert sorted(session["id"] for session in live) == sorted([ids[0], other])


async def test_a_filter_that_grew_expires_nothing(api: Console) -> None:
    script = await api.script()
    for _ in range(3):
        await opened(api, script)
    answer = await script.post("/api/v1/expirations", json={"filter": "", "reason": "all", "expected": 1})
    assert answer.status_code == 409 and answer.json()["code"] == "conflict" and answer.json()["matched"] == 3
    assert (await script.get("/api/v1/sessions?q=state:live")).json()["total"] == 3


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/expiration", {}),
        ("/expiration", {"reason": ""}),
        ("/expiration", {"reason": "   "}),
        ("/expiration", {"reason": "x" * 501}),
        ("/expiration", {"reason": "x", "force": True}),
        ("/replays", {}),
        ("/replays", {"after_seq": 1, "seqs": [2]}),
        ("/replays", {"from_seq": 1}),
        ("/replays", {"from_seq": 5, "to_seq": 1}),
        ("/replays", {"after_seq": "1"}),
        ("/replays", {"after_seq": True}),
        ("/replays", {"seqs": []}),
        ("/replays", {"seqs": [0]}),
        ("/replays", {"seqs": list(range(1, 1_002))}),
        ("/replays", {"after_seq": 2**63}),
        ("/cancellations", {"reason": "x"}),
        ("/cancellations", {"request_id": None, "reason": "x"}),
        ("/cancellations", {"request_id": True, "reason": "x"}),
        ("/cancellations", {"request_id": 1.5, "reason": "x"}),
        ("/cancellations", {"request_id": [1], "reason": "x"}),
        ("/streams/0/closing", {}),
        ("/sign-out", {}),
    ],
)
async def test_a_malformed_action_is_refused_and_does_nothing(api: Console, path: str, body: dict[str, Any]) -> None:
    script = await api.script()
    _, session_id = await opened(api, script)
    answer = await script.post(f"/api/v1/sessions/{session_id}{path}", json=body)
    assert answer.status_code == 422 and answer.json()["code"] == "invalid_input"
    assert (await script.get(f"/api/v1/sessions/{session_id}")).json()["state"] == "initialized"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/expiration", {"reason": "x"}),
        ("/replays", {"after_seq": 0}),
        ("/cancellations", {"request_id": 1, "reason": "x"}),
        ("/streams/0/closing", {"reason": "x"}),
        ("/sign-out", {"reason": "x"}),
    ],
)
async def test_an_action_on_an_unknown_session_is_a_404(api: Console, path: str, body: dict[str, Any]) -> None:
    answer = await (await api.script()).post(f"/api/v1/sessions/{NOTHING}{path}", json=body)
    assert answer.status_code == 404 and answer.json()["code"] == "not_found"


async def test_an_action_on_an_ended_session_says_that_it_has_ended(api: Console) -> None:
    script = await api.script()
    _, session_id = await opened(api, script)
    path = f"/api/v1/sessions/{session_id}"
    await script.post(f"{path}/expiration", json={"reason": "x"})
    for method, rest, body in (
        ("POST", "/replays", {"after_seq": 0}),
        ("POST", "/cancellations", {"request_id": 1, "reason": "x"}),
        ("PUT", "/keys/a", {"value": 1}),
    ):
        answer = await script.request(method, path + rest, json=body)
        assert answer.status_code == 409 and answer.json()["code"] == "already_ended", rest


async def test_a_replay_lists_every_event_with_what_became_of_it(api: Console) -> None:
    script = await api.script()
    _, session_id = await opened(api, script)
    await script.post("/api/v1/broadcasts", json={"text": "hello"})
    path = f"/api/v1/sessions/{session_id}"
    with anyio.fail_after(5):
        while not (found := await _messages(script, path)):
            pass
    answer = await script.post(f"{path}/replays", json={"after_seq": 0})
    assert answer.status_code == 200
    result = answer.json()
    assert result["queued"] == 1 and result["delivered"] == 0 and result["skipped"] == len(result["items"]) - 1
    queued = next(item for item in result["items"] if item["status"] == "queued")
    assert queued["seq"] == found[0]["seq"]
    again = (await script.get(f"{path}/events/{queued['new_seq']}")).json()
    assert again["related_seq"] == queued["seq"] and again["payload"] == found[0]["payload"]
    assert all(item["reason"] for item in result["items"])


async def test_a_call_that_is_over_cannot_be_cancelled(api: Console) -> None:
    script = await api.script()
    mcp, session_id = await opened(api, script)
    await mcp.call("list_session_keys", request_id=7)
    body = {"request_id": 7, "reason": "too slow"}
    answer = await script.post(f"/api/v1/sessions/{session_id}/cancellations", json=body)
    assert answer.status_code == 200 and answer.json()["outcome"] == "already_answered"


async def test_a_call_in_flight_is_listed_by_its_id_and_cancelled_by_it(api: Console) -> None:
    script = await api.script()
    mcp, session_id = await opened(api, script)
    path = f"/api/v1/sessions/{session_id}"
    calls: list[dict[str, Any]] = []
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_call, mcp, "slow-5", 30)
        with anyio.fail_after(5):
            while not (calls := (await script.get(f"{path}/in-flight")).json()["items"]):
                pass
        assert calls[0]["request_id"] == "slow-5" and calls[0]["method"] == "tools/call"
        for wrong in (5, "slow"):
            other = await script.post(f"{path}/cancellations", json={"request_id": wrong, "reason": "x"})
            assert other.json()["outcome"] == "already_answered"
        body = {"request_id": "slow-5", "reason": "too slow"}
        with anyio.fail_after(5):
            answer = await script.post(f"{path}/cancellations", json=body)
        assert answer.json()["outcome"] == "cancelled"
    assert (await script.get(f"{path}/in-flight")).json()["items"] == []
    past = (await script.get(f"{path}/events/{calls[0]['seq']}/in-flight")).json()
    told = [(call["request_id"], call["method"], call["direction"]) for call in past["items"]]
    assert told == [(calls[0]["request_id"], calls[0]["method"], "from_client")] and past["is_whole"] is True


async def test_a_broadcast_answers_at_once_and_its_figures_add_up(api: Console) -> None:
    script = await api.script()
    ids = [(await opened(api, script))[1] for _ in range(3)]
    await opened(api, script, "inspector")
    body = {"text": "maintenance at 17:00", "level": "warning", "filter": "state:live", "exclude": "client:inspector"}
    answer = await script.post("/api/v1/broadcasts", json=body)
    assert answer.status_code == 201
    sent = answer.json()
    assert sent["audience"] == 3 and sent["status"] in ("sending", "done")
    path = f"/api/v1/broadcasts/{sent['id']}"
    with anyio.fail_after(5):
        while (now := (await script.get(path)).json())["status"] == "sending":
            pass
    figures = ("delivered", "queued", "not_listening", "below_level", "skipped", "failed", "pending")
    assert sum(now[name] for name in figures) == now["audience"] == 3
    assert sorted(receipt["session_id"] for receipt in now["receipts"]) == sorted(ids)
    assert now["next_cursor"] is None
    first = (await script.get(path, params={"limit": 2})).json()
    rest = (await script.get(path, params={"limit": 2, "after": first["next_cursor"]})).json()
    assert first["receipts"] + rest["receipts"] == now["receipts"]
    status = now["receipts"][0]["status"]
    assert (await script.get(path, params={"status": status})).json()["receipts"]
    assert (await script.get(path, params={"status": "lost"})).status_code == 422


async def test_one_idempotency_key_is_one_broadcast(api: Console) -> None:
    script = await api.script()
    await opened(api, script)
    body = {"text": "once", "idempotency_key": "deploy-17"}
    first, second = [(await script.post("/api/v1/broadcasts", json=body)).json() for _ in range(2)]
    assert first["id"] == second["id"]
    assert [each["id"] for each in (await script.get("/api/v1/broadcasts")).json()["items"]] == [first["id"]]


async def test_broadcasts_are_paged_newest_first(api: Console) -> None:
    script = await api.script()
    ids = [(await script.post("/api/v1/broadcasts", json={"text": str(n)})).json()["id"] for n in range(5)]
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        params = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await script.get("/api/v1/broadcasts", params=params)).json()
        seen += [each["id"] for each in page["items"]]
        cursor = page["next_cursor"]
    assert seen == ids[::-1]


async def test_a_broadcast_that_is_over_is_not_stopped(api: Console) -> None:
    script = await api.script()
    broadcast_id = (await script.post("/api/v1/broadcasts", json={"text": "a"})).json()["id"]
    with anyio.fail_after(5):
        while (await script.get(f"/api/v1/broadcasts/{broadcast_id}")).json()["status"] == "sending":
            pass
    answer = await script.post(f"/api/v1/broadcasts/{broadcast_id}/stop")
    assert answer.status_code == 200 and answer.json()["status"] == "done"
    assert (await script.post(f"/api/v1/broadcasts/{NOTHING}/stop")).status_code == 404


async def test_every_action_is_one_entry_of_the_audit_log(api: Console) -> None:
    script = await api.script()
    _, session_id = await opened(api, script)
    action_id = (await script.post(f"/api/v1/sessions/{session_id}/expiration", json={"reason": "maintenance"})).json()[
        "action_id"
    ]
    await script.post("/api/v1/broadcasts", json={"text": "hello"})
    entries = (await script.get("/api/v1/audit")).json()["items"]
    assert [entry["action"] for entry in entries] == ["broadcast", "expire"]
    expire = entries[1]
    assert expire["action_id"] == action_id and expire["reason"] == "maintenance" and expire["outcome"] == "done"
    assert (expire["actor"], expire["role"], expire["target"]) == ("script", "operator", session_id)
    assert expire["detail"]["expired"] == 1
    page = (await script.get("/api/v1/audit?limit=1")).json()
    assert page["next_cursor"]
    older = (await script.get(f"/api/v1/audit?limit=1&cursor={page['next_cursor']}")).json()
    assert older["items"] == [expire] and older["next_cursor"] is None
    assert (await script.get("/api/v1/audit?action=broadcast&actor=script")).json()["items"] == [entries[0]]


async def _messages(script: httpx2.AsyncClient, path: str) -> list[dict[str, Any]]:
    found = await script.get(f"{path}/events", params={"kind": "notification", "direction": "from_server"})
    items: list[dict[str, Any]] = found.json()["items"]
    return items


async def _call(mcp: McpCaller, request_id: str, seconds: float) -> None:
    await mcp.call("wait", request_id=request_id, seconds=seconds)


async def test_limits_are_changed_and_the_history_says_by_whom(api: Console) -> None:
    script = await api.script()
    _, session_id = await opened(api, script)
    path = f"/api/v1/sessions/{session_id}"
    answer = await script.put(f"{path}/timeouts", json={"idle_seconds": 7200, "reason": "long job"})
    assert answer.status_code == 200, answer.text
    assert (answer.json()["idle_seconds"], answer.json()["idle_from"]) == (7200, "session")
    assert answer.json()["expires_at"] is not None
    session = (await script.get(path)).json()
    assert (session["idle_seconds"], session["lifetime_seconds"]) == (7200, None)
    steps = (await script.get(f"{path}/history")).json()["items"]
    assert [step["state"] for step in steps] == ["initializing", "initialized", "initialized"]
    assert (steps[-1]["by"], steps[-1]["reason"]) == ("script", "long job")
    nothing = await script.put(f"{path}/timeouts", json={"reason": "why not"})
    assert nothing.status_code == 422 and "give idle_seconds, lifetime_seconds or both" in nothing.text
    viewer = await api.script(Role.VIEWER, "viewer")
    assert (await viewer.put(f"{path}/timeouts", json={"idle_seconds": 1, "reason": "x"})).status_code == 403
    back = await script.put(f"{path}/timeouts", json={"idle_seconds": None, "reason": "done"})
    assert (back.json()["idle_seconds"], back.json()["idle_from"]) == (1800, "server")
