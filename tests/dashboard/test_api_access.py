"""Who may call the API, in which form, and what refusals look like."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from switchroom.dashboard.api.routing import ROLE_KEY
from switchroom.server.models import Role
from tests.support.console import Console

pytestmark = pytest.mark.anyio

READ, WRITE = ("get",), ("post", "put", "patch", "delete")


async def document(api: Console) -> dict[str, Any]:
    found: dict[str, Any] = (await (await api.script(Role.VIEWER, "reader")).get("/api/openapi.json")).json()
    return found


async def operations(api: Console) -> list[tuple[str, str, dict[str, Any]]]:
    """Every documented call: method, address with its parameters filled in, description."""
    return [
        (method, re.sub(r"\{[^}]+\}", "1", path), about)
        for path, methods in (await document(api))["paths"].items()
        for method, about in methods.items()
    ]


async def test_no_call_answers_without_a_sign_in(api: Console) -> None:
    calls = [*((method, path) for method, path, _ in await operations(api)), ("get", "/api/openapi.json")]
    assert len(calls) > 20
    stranger = api.browser()
    for method, path in calls:
        answer = await stranger.request(method.upper(), path, content=b"{not even json")
        assert answer.status_code == 401, (method, path)
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == "not_signed_in"


async def test_a_viewer_gets_403_on_every_action_whatever_the_body_and_each_is_recorded(api: Console) -> None:
    viewer = await api.script(Role.VIEWER)
    actions = [
        (method, path)
        for method, path, about in await operations(api)
        if method in WRITE and about.get(ROLE_KEY) != Role.VIEWER.value
    ]
    assert len(actions) >= 9
    for method, path in actions:
        answer = await viewer.request(method.upper(), path, content=b"{not even json")
        assert answer.status_code == 403, (method, path)
        assert answer.json()["code"] == "forbidden"
    entries = await api.room.directory.audit(actor="script", limit=200)
    assert len(entries) == len(actions)
    assert {(entry.outcome, entry.role) for entry in entries} == {("refused", "viewer")}
    assert "expire_session" in {entry.action for entry in entries}


async def test_a_viewer_may_read_everything_but_who_may_use_the_console(api: Console) -> None:
    viewer = await api.script(Role.VIEWER)
    for method, path, about in await operations(api):
        if method in READ and not path.endswith("/live"):
            expected = (403,) if about.get(ROLE_KEY) == Role.ADMIN.value else (200, 404)
            assert (await viewer.get(path)).status_code in expected, path


async def test_an_operator_signed_in_by_cookie_may_act_from_our_pages_only(api: Console) -> None:
    browser = await api.signed_in()
    body = {"text": "hello"}
    assert (await browser.post("/api/v1/broadcasts", json=body)).status_code == 201
    foreign = await browser.post("/api/v1/broadcasts", json=body, headers={"Sec-Fetch-Site": "cross-site"})
    assert foreign.status_code == 403 and foreign.json()["code"] == "cross_site"
    assert len((await browser.get("/api/v1/broadcasts")).json()["items"]) == 1


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/x-www-form-urlencoded", "application/problem+json", "", "json"]
)
async def test_a_body_is_json_and_says_so(api: Console, media_type: str) -> None:
    headers = {"Content-Type": media_type} if media_type else {}
    answer = await (await api.script()).post("/api/v1/broadcasts", content=b'{"text": "hello"}', headers=headers)
    assert answer.status_code == 415 and answer.json()["code"] == "unsupported_media_type"


async def test_a_charset_after_the_media_type_is_fine(api: Console) -> None:
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    answer = await (await api.script()).post("/api/v1/broadcasts", content=b'{"text": "hello"}', headers=headers)
    assert answer.status_code == 201


BODIES = {
    "nothing": b"",
    "half": b'{"text": "hel',
    "not an object": b"[1]",
    "null": b"null",
    "unknown member": b'{"text": "a", "color": "red"}',
    "wrong type": b'{"text": 5}',
    "unknown level": b'{"text": "a", "level": "loud"}',
    "empty text": b'{"text": ""}',
    "long text": b'{"text": "' + b"x" * 10_001 + b'"}',
    "NaN": b'{"text": "a", "ttl_seconds": NaN}',
    "infinite": b'{"text": "a", "ttl_seconds": 1e999}',
    "negative": b'{"text": "a", "ttl_seconds": -1}',
    "half a pair": b'{"text": "\\ud800"}',
    "NUL": b'{"text": "a\\u0000"}',
    "not UTF-8": b'{"text": "\xff"}',
    "deep": b'{"text": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "an unknown filter": b'{"text": "a", "filter": "statte:active"}',
    "two audiences": b'{"text": "a", "filter": "", "session_ids": ["1"]}',
    "a huge number": b'{"text": "a", "ttl_seconds": 1' + b"0" * 5_000 + b"}",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
async def test_a_body_out_of_bounds_is_refused_with_a_problem(api: Console, body: bytes) -> None:
    answer = await (await api.script()).post(
        "/api/v1/broadcasts", content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code in (400, 422)
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["status"] == answer.status_code and problem["code"] in ("invalid_input", "bad_request")
    assert problem["type"] == f"urn:switchroom:problem:{problem['code']}" and problem["title"] and problem["detail"]
    assert (await api.room.directory.broadcasts()) == []


async def test_an_unknown_filter_key_names_the_nearest_one(api: Console) -> None:
    answer = await (await api.script()).get("/api/v1/sessions", params={"q": "statte:active"})
    assert answer.status_code == 422
    assert answer.json()["nearest"] == "state" and answer.json()["position"] == 0


async def test_a_refused_value_is_named_and_not_repeated(api: Console) -> None:
    script = await api.script()
    answer = await script.post("/api/v1/sessions/lookup", json={"mcp_session_id": "s3cret" * 100})
    assert answer.status_code == 422 and "s3cret" not in answer.text
    assert answer.json()["errors"][0]["field"] == "body.mcp_session_id"


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=501", "limit=-1", "limit=x", "limit=" + "9" * 30, "sort=name", "cursor=x", "q=" + "a" * 2_001],
)
async def test_a_query_out_of_bounds_is_refused(api: Console, query: str) -> None:
    answer = await (await api.script()).get(f"/api/v1/sessions?{query}")
    assert answer.status_code == 422 and answer.json()["code"] == "invalid_input"


async def test_an_unknown_method_says_which_are_known(api: Console) -> None:
    answer = await (await api.script()).delete("/api/v1/sessions")
    assert (
        answer.status_code == 405 and answer.json()["code"] == "method_not_allowed" and "GET" in answer.headers["allow"]
    )


async def test_a_body_too_large_is_refused(api: Console) -> None:
    script = await api.script()
    headers = {"Content-Type": "application/json"}
    answer = await script.post("/api/v1/broadcasts", content=b'{"text": "' + b"x" * 3_000_000, headers=headers)
    assert answer.status_code == 413 and answer.json()["code"] == "too_large"

    async def chunks() -> AsyncGenerator[bytes]:
        for _ in range(30):
            yield b"x" * 100_000

    unannounced = await script.post("/api/v1/broadcasts", content=chunks(), headers=headers)
    assert unannounced.status_code == 413 and unannounced.json()["code"] == "too_large"


async def test_the_document_names_every_call_its_role_and_its_problems(api: Console) -> None:
    found = await document(api)
    assert found["openapi"].startswith("3.") and found["security"]
    assert "/api/v1/sessions/{session_id}/expiration" in found["paths"]
    lookup = found["paths"]["/api/v1/sessions/lookup"]["post"]
    assert lookup[ROLE_KEY] == "viewer" and lookup["responses"]["401"]["content"].keys() == {"application/problem+json"}
    assert not re.search(r"https?://", json.dumps(found))


async def test_there_is_no_page_that_loads_the_document_from_elsewhere(api: Console) -> None:
    script = await api.script()
    for path in ("/docs", "/redoc", "/api/docs", "/openapi.json"):
        assert (await script.get(path)).status_code == 404


async def test_answers_of_the_api_are_not_cached_or_framed(api: Console) -> None:
    answer = await (await api.script()).get("/api/v1/sessions")
    assert answer.headers["cache-control"] == "no-store"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


async def test_the_accounts_being_away_lets_nobody_in(api: Console) -> None:
    script = await api.script()
    await api.accounts.close()
    answer = await script.get("/api/v1/sessions")
    assert answer.status_code == 503 and answer.json()["code"] == "store_unavailable" and answer.headers["retry-after"]


async def test_a_disabled_operator_loses_the_api_at_once(api: Console) -> None:
    browser = await api.signed_in()
    assert (await browser.get("/api/v1/sessions")).status_code == 200
    await api.accounts.operators.set_disabled("ana", True)
    assert (await browser.get("/api/v1/sessions")).status_code == 401


async def test_reading_the_whole_api_changes_nothing(api: Console) -> None:
    mcp = api.mcp_client()
    await mcp.initialize()
    viewer = await api.script(Role.VIEWER)
    before = (await viewer.get("/api/v1/sessions")).json()
    for method, path, _ in await operations(api):
        if method in READ and not path.endswith("/live"):
            await viewer.get(path.replace("/sessions/1", f"/sessions/{before['items'][0]['id']}"))
    assert (await viewer.get("/api/v1/sessions")).json() == before
