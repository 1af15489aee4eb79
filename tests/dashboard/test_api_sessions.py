"""The API's reading half: sessions, events, keys, as a program sees them."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from switchroom.dashboard.api.events import EventOut
from switchroom.dashboard.api.keys import KeyOut
from switchroom.dashboard.api.values import depth_of, parse_json, parse_request_id
from switchroom.server.models import Direction, Event, EventKind, StoredKey
from tests.support.console import Console

pytestmark = pytest.mark.anyio

FIELDS = {
    "id", "mcp_session_id_prefix", "kind", "state", "activity", "transport", "era", "protocol_version",
    "client", "principal", "signed_in_as", "signed_in_until", "request_count", "error_count", "in_flight",
    "open_streams", "key_count", "event_count", "created_at", "last_activity_at", "expires_at", "ended_at",
    "idle_seconds", "lifetime_seconds",
    "end_reason", "end_code", "end_by", "server", "worker_id",
}  # fmt: skip


async def test_a_session_is_listed_and_found_by_its_secret_which_is_never_shown(api: Console) -> None:
    mcp, script = api.mcp_client(), await api.script()
    await mcp.initialize("acme-agent", "2.1")
    await mcp.call("set_session_data", key="cart", value="full")
    listed = (await script.get("/api/v1/sessions", params={"q": "client:acme*"})).json()
    assert listed["total"] == 1 and listed["next_cursor"] is None
    session: dict[str, Any] = listed["items"][0]
    assert session.keys() == FIELDS
    assert session["client"] == {"name": "acme-agent", "version": "2.1"}
    assert (session["kind"], session["transport"], session["era"]) == ("streamable-http", "http", "handshake")
    assert (session["state"], session["activity"], session["request_count"]) == ("initialized", "active", 2)
    assert session["mcp_session_id_prefix"] == mcp.secret[:8] and session["id"] not in mcp.secret
    assert session["created_at"].endswith("Z") and datetime.fromisoformat(session["created_at"])
    for answer in (
        await script.get(f"/api/v1/sessions/{session['id']}"),
        await script.post("/api/v1/sessions/lookup", json={"mcp_session_id": mcp.secret}),
    ):
        assert answer.status_code == 200 and answer.json()["id"] == session["id"]
        assert mcp.secret not in answer.text


async def test_an_unknown_secret_is_answered_with_what_to_do(api: Console) -> None:
    answer = await (await api.script()).post("/api/v1/sessions/lookup", json={"mcp_session_id": "nothing"})
    assert answer.status_code == 404 and "initialize" in answer.json()["detail"]


@pytest.mark.parametrize(
    "path", ["", "/events", "/events/1", "/keys", "/keys/a", "/streams", "/in-flight", "/events/1/in-flight"]
)
async def test_an_unknown_session_is_a_404_everywhere(api: Console, path: str) -> None:
    answer = await (await api.script()).get(f"/api/v1/sessions/NOSUCHSESSION{path}")
    assert answer.status_code == 404 and answer.json()["code"] == "not_found"


async def test_pages_follow_each_other_without_gap_or_double(api: Console) -> None:
    script = await api.script()
    for number in range(7):
        await api.mcp_client().initialize(f"client-{number}")
    seen: list[str] = []
    cursor: str | None = None
    while True:
        params = {"limit": "3", "sort": "client"} | ({"cursor": cursor} if cursor else {})
        page = (await script.get("/api/v1/sessions", params=params)).json()
        assert page["total"] == 7
        seen += [session["client"]["name"] for session in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [f"client-{number}" for number in range(7)]


async def test_events_are_read_in_order_and_filtered(api: Console) -> None:
    mcp, script = api.mcp_client(), await api.script()
    await mcp.initialize()
    await mcp.call("set_session_data", request_id=5, key="a", value="1")
    await mcp.call("set_session_data", request_id="5", key="a", value="2")
    session_id = (await script.get("/api/v1/sessions")).json()["items"][0]["id"]
    path = f"/api/v1/sessions/{session_id}/events"
    everything = (await script.get(path)).json()
    assert [event["seq"] for event in everything["items"]] == list(range(1, len(everything["items"]) + 1))
    assert everything["dropped"] == 0 and everything["next_cursor"] is None
    calls = (await script.get(path, params={"method": "tools/call", "kind": "request"})).json()["items"]
    assert [call["request_id"] for call in calls] == [5, "5"]
    assert calls[0]["payload"]["params"]["arguments"] == {"key": "a", "value": "1"}
    answer = (await script.get(path, params={"method": "tools/call", "kind": "response"})).json()["items"][0]
    assert answer["related_seq"] == calls[0]["seq"] and answer["duration_ms"] > 0 and answer["error"] is None
    first = (await script.get(path, params={"limit": 2})).json()
    second = (await script.get(path, params={"limit": 2, "after": first["next_cursor"]})).json()
    assert [event["seq"] for event in first["items"] + second["items"]] == [1, 2, 3, 4]
    newest = (await script.get(path, params={"limit": 1, "order": "desc"})).json()["items"][0]
    assert newest["seq"] == everything["items"][-1]["seq"]
    one = await script.get(f"{path}/{newest['seq']}")
    assert one.json() == newest
    assert (await script.get(f"{path}/9999")).status_code == 404
    for query in ("after=-1", "limit=1001", "kind=gossip", "order=random", "after=99999999999999999999"):
        assert (await script.get(f"{path}?{query}")).status_code == 422, query


async def test_a_failed_call_carries_its_error(api: Console) -> None:
    mcp, script = api.mcp_client(), await api.script()
    await mcp.initialize()
    await mcp.call("set_session_data", key="no value")
    session_id = (await script.get("/api/v1/sessions")).json()["items"][0]["id"]
    errors = (await script.get(f"/api/v1/sessions/{session_id}/events?errors=true")).json()["items"]
    (only,) = errors
    assert (only["error"]["code"], only["error"]["name"]) == (None, "invalid_arguments")
    assert only["error"]["message"].startswith("1 validation error for set_session_data")


async def test_keys_are_read_written_and_deleted_with_their_versions(api: Console) -> None:
    mcp, script = api.mcp_client(), await api.script()
    await mcp.initialize()
    await mcp.call("set_session_data", key="cart", value="full")
    session_id = (await script.get("/api/v1/sessions")).json()["items"][0]["id"]
    path = f"/api/v1/sessions/{session_id}/keys"
    listed = (await script.get(path)).json()["items"]
    assert [(key["name"], key["value"], key["version"], key["is_secret"]) for key in listed] == [
        ("cart", "full", 1, False)
    ]
    written = await script.put(f"{path}/a/b c", json={"value": {"x": [1, None, "\U0001f600"]}})
    assert written.status_code == 200 and written.json()["version"] == 1
    assert (await script.get(f"{path}/a/b c")).json()["value"] == {"x": [1, None, "\U0001f600"]}
    stale = await script.put(f"{path}/cart", json={"value": 1, "if_version": 7})
    assert stale.status_code == 409 and stale.json()["code"] == "conflict"
    assert (await script.put(f"{path}/cart", json={"value": 42, "if_version": 1})).json()["version"] == 2
    assert "cart = 42" in (await mcp.call("get_session_data", key="cart")).text
    assert (await script.delete(f"{path}/cart?if_version=1")).status_code == 409
    assert (await script.delete(f"{path}/cart")).status_code == 204
    assert (await script.delete(f"{path}/cart")).status_code == 404
    assert (await script.get(f"{path}/cart")).status_code == 404


@pytest.mark.parametrize("value", ["[" * 101 + "]" * 101, '"' + "x" * 300_000 + '"'])
async def test_a_value_out_of_bounds_is_not_stored(api: Console, value: str) -> None:
    mcp, script = api.mcp_client(), await api.script()
    await mcp.initialize()
    session_id = (await script.get("/api/v1/sessions")).json()["items"][0]["id"]
    answer = await script.put(
        f"/api/v1/sessions/{session_id}/keys/a",
        content=f'{{"value": {value}}}'.encode(),
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code in (422, 429)
    assert (await script.get(f"/api/v1/sessions/{session_id}/keys")).json() == {"items": []}


async def test_half_a_surrogate_pair_in_a_value_survives_the_way_out(api: Console) -> None:
    mcp, script = api.mcp_client(), await api.script()
    await mcp.initialize()
    session_id = (await script.get("/api/v1/sessions")).json()["items"][0]["id"]
    path = f"/api/v1/sessions/{session_id}/keys/a"
    headers = {"Content-Type": "application/json"}
    assert (await script.put(path, content=b'{"value": "\\ud800"}', headers=headers)).status_code == 200
    assert '"value":"\\ud800"' in (await script.get(path)).text


async def test_sessionless_clients_have_a_list_of_their_own(api: Console) -> None:
    assert (await (await api.script()).get("/api/v1/clients")).json() == {"items": []}


def _event(payload: str | None, **values: Any) -> Event:
    return Event(1, 1, 0.0, Direction.FROM_CLIENT, EventKind.REQUEST, "tools/call", payload=payload, **values)


@pytest.mark.parametrize("payload", ['{"a": "cut he', "1" * 5_000, "[" * 401 + "]" * 401, '{"a": NaN}'])
def test_a_payload_that_is_not_whole_is_given_as_text(payload: str) -> None:
    out = EventOut.of(_event(payload))
    assert out.payload is None and out.payload_truncated and out.payload_text == payload


def test_a_payload_that_was_never_kept_is_not_called_cut() -> None:
    out = EventOut.of(_event(None))
    assert out.payload is None and not out.payload_truncated and out.payload_text is None


def test_brackets_in_strings_are_not_nesting() -> None:
    text = json.dumps({"a": "[{" * 1_000, 'b"\\': "\\"})
    assert parse_json(text) == (json.loads(text), True)


def test_a_number_beyond_doubles_keeps_its_digits() -> None:
    assert parse_json('{"a": 1e999, "b": 1.5}') == ({"a": "1e999", "b": 1.5}, True)


def test_a_protocol_error_is_told_with_code_and_message() -> None:
    payload = '{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"Unknown tool"}}'
    out = EventOut.of(_event(payload, error_code=-32602))
    assert out.error is not None and (out.error.code, out.error.message) == (-32602, "Unknown tool")


@pytest.mark.parametrize(
    ("text", "value"), [("5", 5), ('"5"', "5"), ("null", None), ("true", None), (None, None), ("[1]", None)]
)
def test_a_request_id_keeps_its_json_type(text: str | None, value: object) -> None:
    assert parse_request_id(text) == value and type(parse_request_id(text)) is type(value)


@pytest.mark.parametrize(
    ("text", "depth"), [("1", 0), ("[]", 1), ("{}", 1), ("[[]]", 2), ('{"a": [1, {"b": 2}]}', 3), ("[[], [[]]]", 3)]
)
def test_depth_counts_arrays_and_objects(text: str, depth: int) -> None:
    assert depth_of(json.loads(text)) == depth


def test_a_secret_key_shows_that_it_is_one_and_no_value() -> None:
    out = KeyOut.of(StoredKey("token", None, 3, 40, 0.0, key_id="k1"))
    assert out.is_secret and out.value is None
