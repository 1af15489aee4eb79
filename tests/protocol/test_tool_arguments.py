"""Arguments at and over the limits of the guide's tools, by real clients of both eras: a clear error, and no change."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest
from mcp import Client

from switchroom.server.tools.bundled import bundled_server
from tests.support.clients import connected, text_of
from tests.support.servers import Site, running
from tests.support.users import PASSWORD, with_ana

pytestmark = pytest.mark.anyio

MEGABYTE = "x" * 1_000_000
LONG = "x" * 10_001
NAMES = {
    "": "1 to 200 printable characters; this one has 0",
    "  ": "this one is blank",
    "x" * 201: "this one has 201",
    MEGABYTE: "this one has 1,000,000",
    "a\0b": "cannot be printed",
    "a\nb": "cannot be printed",
    "\x1b[31mred": "cannot be printed",
    "\u202eabc": "cannot be printed",
}
TEXTS = {
    LONG: "at most 10,000 characters; this has 10,001",
    MEGABYTE: "at most 10,000 characters; this has 1,000,000",
    "a\0b": "control character U+0000",
    "\x1b[31mred": "control character U+001B",
}
CREDENTIALS = {
    "": "have 1 to 1,024 characters each",
    "x" * 1_025: "at most 1,024 characters; this has 1,025",
    MEGABYTE: "at most 1,024 characters; this has 1,000,000",
    "a\0na": "control character U+0000",
    "\x1b[31mred": "control character U+001B",
}
USERNAMES = CREDENTIALS | dict.fromkeys(["two\nlines", "\u202eana"], "printable characters only")
GROUPS = dict.fromkeys(["", "A group", "x" * 65, "a\0b", "a\nb", MEGABYTE], "name has 1 to 64 characters")
LARGE = {MEGABYTE: "at most 262,144 bytes; this one has 1,000,002", "x" * 262_143: "this one has 262,145"}
SECONDS = dict.fromkeys([-1, 1e300, 400 * 86_400], "is a number of seconds, at most")


class Row(NamedTuple):
    """One argument of a tool, and what refuses each of its values."""

    tool: str
    argument: str
    refused: dict[Any, str]
    others: Mapping[str, Any] = MappingProxyType({})


TABLE = [
    Row("set_session_data", "key", NAMES, {"value": "v"}),
    Row("set_session_data", "value", LARGE, {"key": "k"}),
    Row("get_session_data", "key", NAMES),
    Row("delete_session_data", "key", NAMES),
    Row("store_sensitive_data", "key", NAMES, {"value": "v"}),
    Row("store_sensitive_data", "value", LARGE, {"key": "k"}),
    Row("retrieve_sensitive_data", "key", NAMES),
    Row("forget_sensitive_data", "key", NAMES),
    Row("join_coordination", "group", GROUPS),
    Row("leave_coordination", "group", GROUPS),
    Row("broadcast_to_sessions", "group", GROUPS, {"message": "m"}),
    Row("broadcast_to_sessions", "message", TEXTS | dict.fromkeys(["", " \n"], "Write a message")),
    Row("create_managed_resource", "resource_type", dict.fromkeys(["", "a\0b", LONG, MEGABYTE], "Known is: file")),
    Row("close_managed_resource", "name", dict.fromkeys(["", "../x", "a\0b", MEGABYTE], "holds no resource")),
    Row("robust_session_tool", "data", LARGE | dict.fromkeys(["", " "], "nothing to process")),
    Row("managed_tool", "data", TEXTS),
    Row("stateful_tool", "message", TEXTS),
    Row("stateless_tool", "data", TEXTS),
    Row("logged_operation", "action", TEXTS),
    Row("secure_operation", "action", TEXTS),
    Row("secure_login", "username", USERNAMES, {"password": PASSWORD}),
    Row("secure_login", "password", CREDENTIALS, {"username": "ana"}),
    Row("secure_login", "password", CREDENTIALS, {"username": "nobody"}),
    Row("set_session_timeout", "idle_seconds", SECONDS | {0: "above 0 and up to 1d", 90_000: "up to 1d"}),
    Row("set_session_timeout", "lifetime_seconds", SECONDS | {0: "sets a lifetime above 0"}),
]


async def held(site: Site, session_id: str) -> dict[str, Any]:
    """Return everything a tool could have changed of a session."""
    room = site.switchroom
    record = room.engine.by_id[session_id].record
    return {
        "keys": [(key.name, key.version) for key in await room.store.keys.list(record.no)],
        "groups": [(group.name, [member.session_id for member in group.members]) for group in room.engine.groups.all()],
        "broadcasts": [each.id for each in await room.store.broadcasts.list()],
        "resources": [each.name for each in room.resources.held(session_id)],
        "limits": (record.idle_seconds, record.lifetime_seconds),
        "signed in": record.signed_in,
    }


async def answer(client: Client, row: Row, value: Any, own: dict[str, Any]) -> tuple[bool, str]:
    result = await client.call_tool(row.tool, {**own, **row.others, row.argument: value})
    return bool(result.is_error), text_of(result)


@pytest.mark.parametrize("era", ["legacy", "auto"])
async def test_what_is_over_a_limit_is_refused_with_the_reason_and_changes_nothing(era: str) -> None:
    wrong: list[str] = []
    options: dict[str, Any] = {"secret_keys": "temporary", "max_group_messages_per_minute": 1_000}
    async with running(bundled_server(), **options) as site, connected(site.url, mode=era) as (client, _):
        own = {"session_id": text_of(await client.call_tool("open_session"))} if era == "auto" else {}
        await client.call_tool("set_session_data", {**own, "key": "k", "value": "kept"})
        me = text_of(await client.call_tool("join_coordination", own)).split()[4]
        before = await held(site, me)
        for row in TABLE:
            mine = {} if row.tool == "stateless_tool" else own
            for value, why in row.refused.items():
                is_error, text = await answer(client, row, value, mine)
                if not is_error or why not in text or len(text) > 1_000:
                    wrong.append(f"{row.tool}({row.argument}={value!r:.40}): {text[:200]}")
            if await held(site, me) != before:
                wrong.append(f"{row.tool}({row.argument}=...) changed something")
                before = await held(site, me)
    assert wrong == []


@pytest.mark.parametrize("era", ["legacy", "auto"])
async def test_what_is_at_a_limit_is_taken(era: str) -> None:
    rows = [
        Row("set_session_data", "key", {"x" * 200: ""}, {"value": "v"}),
        Row("set_session_data", "value", {"x" * 262_142: "", "\x1b[31m\0": ""}, {"key": "k"}),
        Row("join_coordination", "group", {"x" * 64: ""}),
        Row("broadcast_to_sessions", "message", {"x" * 10_000: "", "two\nlines": ""}, {"group": "x" * 64}),
        Row("managed_tool", "data", {"x" * 10_000: "", "": "", "caf\u00e9 \U0001f469\u200d\U0001f692": ""}),
        Row("set_session_timeout", "idle_seconds", {86_400: ""}),
    ]
    async with running(bundled_server()) as site, connected(site.url, mode=era) as (client, _):
        own = {"session_id": text_of(await client.call_tool("open_session"))} if era == "auto" else {}
        wrong = [
            f"{row.tool}({row.argument}={value!r:.40}): {text[:200]}"
            for row in rows
            for value in row.refused
            for is_error, text in [await answer(client, row, value, own)]
            if is_error
        ]
    assert wrong == []


@pytest.mark.parametrize("era", ["legacy", "auto"])
async def test_names_and_passwords_that_nobody_can_have_are_no_attempts_and_the_right_ones_still_sign_in(
    era: str, tmp_path: Path
) -> None:
    odd = [(name, PASSWORD) for name in USERNAMES] + [("ana", password) for password in CREDENTIALS]
    async with running(bundled_server(), options={"verifier": await with_ana(tmp_path)}) as site:
        async with connected(site.url, mode=era) as (client, _):
            own = {"session_id": text_of(await client.call_tool("open_session"))} if era == "auto" else {}
            for username, password in odd:
                given = {**own, "username": username, "password": password}
                assert " character" in text_of(await client.call_tool("secure_login", given))
            right = {**own, "username": "ana", "password": PASSWORD}
            assert text_of(await client.call_tool("secure_login", right)) == "Authenticated as ana"
