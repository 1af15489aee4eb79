"""Other people's sessions, taken over or talked into. An id opens nothing for another principal."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from tests.security.neighbours import modern_call
from tests.security.tokens import signed_token
from tests.support.processes import Served
from tests.support.wire import Wire, client, initialize_message, session, text_of

pytestmark = pytest.mark.anyio

UNKNOWN = "0" * 32


def seen(answer: httpx.Response) -> tuple[int, bytes, list[tuple[str, str]]]:
    """Return everything of an answer that an attacker could compare."""
    return answer.status_code, answer.content, sorted(h for h in answer.headers.multi_items() if h[0] != "date")


async def every_answer(wire: Wire, session_id: str) -> list[tuple[int, bytes, list[tuple[str, str]]]]:
    """Return what each method and message gets with a session id."""
    headers = wire.headers({"mcp-session-id": session_id, "mcp-protocol-version": "2025-11-25"})
    bodies = [wire.call_message("echo", id=1, text="x"), initialize_message(), {"jsonrpc": "2.0", "id": 2}]
    answers = [await wire.http.post(wire.url, json=body, headers=headers) for body in bodies]
    answers.append(await wire.http.get(wire.url, headers=headers))
    answers.append(await wire.http.get(wire.url, headers={**headers, "last-event-id": "1"}))
    answers.append(await wire.http.delete(wire.url, headers=headers))
    return [seen(answer) for answer in answers]


async def test_another_principals_session_looks_exactly_like_an_unknown_one(guarded: Served) -> None:
    async with session(guarded.mcp, token=signed_token("ann")) as owner:
        async with client(guarded.mcp, token=signed_token("mallory")) as thief:
            assert owner.session_id is not None
            stolen = await every_answer(thief, owner.session_id)
            assert stolen == await every_answer(thief, UNKNOWN)
            assert {status for status, _, _ in stolen} == {404}
        assert text_of((await owner.call("echo", text="mine")).last) == "mine"


async def test_the_same_subject_of_another_client_is_another_principal(guarded: Served) -> None:
    async with session(guarded.mcp, token=signed_token("ann")) as owner:
        async with client(guarded.mcp, token=signed_token("ann", client_id="another app")) as other:
            assert owner.session_id is not None
            assert {status for status, _, _ in await every_answer(other, owner.session_id)} == {404}


async def test_another_principals_handle_opens_nothing(guarded: Served) -> None:
    ann, mallory = signed_token("ann"), signed_token("mallory")
    async with httpx.AsyncClient() as http:
        opened = await modern_call(http, guarded.mcp, "open_session", token=ann)
        handle = opened.json()["result"]["content"][0]["text"]
        stored = await modern_call(
            http, guarded.mcp, "set_session_data", token=ann, key="a", value="hers", session_id=handle
        )
        assert "Stored" in stored.text
        for tool, arguments in (
            ("get_session_data", {"key": "a"}),
            ("set_session_data", {"key": "a", "value": "his"}),
            ("delete_session_data", {"key": "a"}),
            ("list_session_keys", {}),
            ("close_session", {}),
        ):
            tried, made_up = [
                (await modern_call(http, guarded.mcp, tool, token=mallory, session_id=each, **arguments)).json()[
                    "result"
                ]
                for each in (handle, "h_" + "x" * 32)
            ]
            assert tried["isError"] is True and tried == made_up, tool
        found = await modern_call(http, guarded.mcp, "get_session_data", token=ann, key="a", session_id=handle)
        assert "a = hers" in found.text


async def test_a_client_cannot_choose_its_session_id(plain: Served) -> None:
    async with client(plain.mcp) as wire:
        answer = await wire.post(initialize_message(), headers={"mcp-session-id": "mine"})
        assert answer.status == 404
        opened = await wire.post(initialize_message())
        assert len(opened.headers["mcp-session-id"]) == 32


async def test_a_second_initialize_is_refused_and_changes_nothing(plain: Served) -> None:
    async with session(plain.mcp, name="the first name") as wire, plain.api() as api:
        answer = await wire.post(initialize_message(name="another name"))
        assert answer.status == 400 and "initialized already" in answer.text
        found = await api.post("/sessions/lookup", json={"mcp_session_id": wire.session_id})
        assert found.json()["client"]["name"] == "the first name"


async def test_the_same_id_twice_in_flight_is_refused_and_the_first_is_answered(plain: Served) -> None:
    async with session(plain.mcp) as wire:
        first = asyncio.create_task(wire.call("pause", id=7, seconds=1))
        second = await until_refused(wire, 7)
        assert "still in flight" in second
        assert text_of((await first).last) == "rested"


async def until_refused(wire: Wire, request_id: int) -> str:
    """Send requests with an id until one is refused, because the first has arrived."""
    for _ in range(100):
        answer = await wire.call("pause", id=request_id, seconds=0)
        if answer.status == 400:
            return answer.text
        await asyncio.sleep(0.01)
    raise AssertionError("none was refused")


async def test_ids_that_look_alike_or_like_something_else_stay_apart(plain: Served) -> None:
    async with session(plain.mcp) as wire:
        ids: list[object] = [5, "5", "_GET_stream", "0", "-1", "__proto__", "ws"]
        calls = [wire.call("echo", id=each, text=repr(each)) for each in ids]
        for sent, answer in zip(ids, await asyncio.gather(*calls), strict=True):
            assert answer.last["id"] == sent and type(answer.last["id"]) is type(sent)
            assert text_of(answer.last) == repr(sent)
