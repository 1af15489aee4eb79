"""Groups and blocks in the console: shown, live, and acted on by htmx and by plain forms."""

from __future__ import annotations

import httpx2
import pytest

from switchroom.dashboard.frames.rules import BlockFrames, GroupFrames, GroupListFrames
from switchroom.dashboard.templating import Templates
from switchroom.dashboard.urls import Urls
from switchroom.server.models import BlockKind, Role, SessionState
from tests.support.console import Console, McpCaller
from tests.support.html import parse
from tests.support.modern import OPERATOR
from tests.support.pages import HTMX, modern_call, opened, read

pytestmark = pytest.mark.anyio


async def member(console: Console, name: str, group: str = "planners") -> McpCaller:
    caller = console.mcp_client()
    await caller.initialize(name)
    await caller.call("join_coordination", group=group)
    return caller


async def test_groups_are_listed_with_their_members_and_what_they_said(
    console: Console, browser: httpx2.AsyncClient
) -> None:
    empty = read(await browser.get("/admin/groups"))
    assert "No groups yet" in empty.one("div.empty").text
    first, _ = await member(console, "one"), await member(console, "two")
    await first.call("broadcast_to_sessions", request_id=2, message="<b>lunch</b>", group="planners")
    listed = read(await browser.get("/admin/groups"))
    (row,) = listed.one("tbody").select("tr")
    assert row.one("a").text == "planners" and row.select("td")[1].text == "2"
    page = read(await browser.get(row.one("a").attributes["href"]))
    assert [each.one("span").text for each in page.select("div.who-is")] == ["one 1.0", "two 1.0"]
    assert "<b>lunch</b>" in page.text and "0 of 1" in page.text
    broadcast = page.one("div.actions").one("a").attributes["href"]
    composer = read(await browser.get(broadcast))
    assert composer.one("button#send").text == "Send to 2 sessions"


async def test_a_group_that_nobody_is_in_is_a_404_that_says_why(browser: httpx2.AsyncClient) -> None:
    page = read(await browser.get("/admin/groups/nobody"), 404)
    assert "begins with its first member" in page.text


async def test_a_member_is_removed_with_a_reason(console: Console, browser: httpx2.AsyncClient) -> None:
    await member(console, "one")
    await member(console, "two")
    page = read(await browser.get("/admin/groups/planners"))
    path = page.select("a.danger")[0].attributes["href"]
    form = read(await browser.get(path, headers=HTMX)).one("form.sheet")
    assert form.one("h2").text == "Remove one from planners?"
    refused = read(await browser.post(path, data={"reason": ""}, headers=HTMX), 422)
    assert "reason" in refused.one("p.error").text
    assert "was removed" in read(await browser.post(path, data={"reason": "noise"}, headers=HTMX)).one("div.toast").text
    left = read(await browser.get("/admin/groups/planners"))
    assert [each.one("span").text for each in left.select("div.who-is")] == ["two 1.0"]
    last = left.one("a.danger").attributes["href"]
    answer = await browser.post(last, data={"reason": "the rest"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin/groups")


async def test_the_pages_of_groups_follow_who_joins_and_leaves(console: Console) -> None:
    templates, urls = Templates(Urls()), Urls()
    one = await member(console, "one")
    session = await console.room.directory.lookup(one.secret)
    listing = GroupListFrames(console.room, templates, urls, [])
    group = GroupFrames(console.room, templates, urls, ("planners", ""), [session.id], can_act=True)
    assert "1 new group. Show it" in (await listing.frame(0)).html
    await group.frame(0)
    await member(console, "two")
    html = (await group.frame(0)).html
    assert "1 new member. Show it" in html and 'hx-target="#members-count"' in html
    await one.call("leave_coordination", request_id=3, group="planners")
    html = (await group.frame(0)).html
    assert f'id="m-{session.id}" class="ended"' in html and "Left" in html and "Remove" not in html
    assert (await group.frame(0)).html == ""


async def test_somebody_is_blocked_from_a_sessions_menu_and_let_in_again(
    console: Console, browser: httpx2.AsyncClient
) -> None:
    session = await opened(console, "bad-bot")
    menu = read(await browser.get(f"/admin/sessions/{session.id}/menu"))
    path = next(each.attributes["href"] for each in menu.select("a") if each.text == "Block…")
    form = read(await browser.get(path, headers=HTMX)).one("form.sheet")
    ways = {each.attributes["value"] for each in form.select("input[name=what]")}
    assert ways == {"client:bad-bot", "address:127.0.0.1"} and "own words" in form.text and "proxy" in form.text
    sent = {"session": session.id, "what": "client:bad-bot", "seconds": "3600", "ends": "1"}
    refused = read(await browser.post("/admin/blocks", data={**sent, "reason": ""}, headers=HTMX), 422)
    assert refused.one("input#reason").attributes["aria-invalid"] == "true"
    toast = await browser.post("/admin/blocks", data={**sent, "reason": "abuse"}, headers=HTMX)
    assert "client name bad-bot, 1 expired" in read(toast).one("div.toast").text
    assert toast.headers["hx-trigger"] == "dialog:close,resync"
    assert (await console.room.directory.session(session.id)).state is SessionState.EXPIRED
    with pytest.raises(AssertionError, match="Blocked by an operator"):
        await opened(console, "BAD-BOT")
    listed = read(await browser.get("/admin/blocks"))
    (row,) = listed.one("tbody").select("tr")
    assert "bad-bot" in row.text and "abuse" in row.text and "ana" in row.text
    lifting = row.one("a.btn").attributes["href"]
    assert "because: abuse" in read(await browser.get(lifting, headers=HTMX)).text
    assert "reason" in read(await browser.post(lifting, data={"reason": " "}, headers=HTMX), 422).text
    assert (await browser.post(lifting, data={"reason": "sorted out"})).headers["location"] == "/admin/blocks"
    assert "Nobody is blocked" in read(await browser.get("/admin/blocks")).text
    await opened(console, "bad-bot")


async def test_expiring_a_session_can_block_its_client_in_one_step(
    console: Console, browser: httpx2.AsyncClient
) -> None:
    session = await opened(console, "bad-bot")
    path = f"/admin/sessions/{session.id}/expiration"
    form = read(await browser.get(path, headers=HTMX)).one("form.sheet")
    assert form.one("details.also").select("input")[0].attributes["value"] == "", (
        "nothing is blocked unless it is chosen"
    )
    await browser.post(path, data={"reason": "abuse", "what": "client:bad-bot", "seconds": "0"}, headers=HTMX)
    assert (await console.room.directory.session(session.id)).state is SessionState.EXPIRED
    (shown,) = console.room.directory.rules.blocks()
    assert (shown.block.value, shown.block.reason, shown.block.expires_at) == ("bad-bot", "abuse", None)


async def test_what_is_typed_is_blocked_or_said_to_be_wrong(console: Console, browser: httpx2.AsyncClient) -> None:
    page = read(await browser.get("/admin/blocks/new"))
    assert page.one("input#value").attributes["maxlength"] == "256"
    sent = {"kind": "address", "value": "10.0.0.300", "reason": "abuse", "seconds": "900"}
    again = read(await browser.post("/admin/blocks", data=sent, headers=HTMX), 422)
    assert "is no address" in again.one("p.error").text and again.one("input#value").attributes["value"] == "10.0.0.300"
    answer = await browser.post("/admin/blocks", data={**sent, "value": "10.0.0.0/24"})
    assert answer.status_code == 303 and answer.headers["location"].startswith("/admin/blocks?done=")
    assert "Block: done, address 10.0.0.0/24" in read(await browser.get(answer.headers["location"])).text


async def test_the_page_of_blocks_follows_refusals_and_ends(console: Console) -> None:
    found = (await console.room.operations.block(OPERATOR, BlockKind.CLIENT, "bot", "abuse", seconds=60)).block
    frames = BlockFrames(console.room, Templates(Urls()), Urls(), [found.id], can_act=True)
    await frames.frame(0)
    with pytest.raises(AssertionError):
        await opened(console, "bot")
    row = parse((await frames.frame(0)).html)
    assert row.select("td")[6].text.startswith("1")
    await console.room.operations.lift_block(OPERATOR, found.id, "over")
    await console.room.operations.block(OPERATOR, BlockKind.CLIENT, "other", "abuse")
    html = (await frames.frame(0)).html
    assert f'id="b-{found.id}" class="ended"' in html and "1 new block. Show it" in html


async def test_a_sessionless_client_is_blocked_or_told_to_listen_no_more(
    console: Console, browser: httpx2.AsyncClient
) -> None:
    await modern_call(console, "echo", text="hi")
    (client,) = await console.room.directory.clients()
    page = read(await browser.get(f"/admin/clients/{client.id}"))
    assert "cannot be expired" in page.text
    assert [each.text for each in page.one("div.actions").select("a")] == ["Close listen streams…", "Block…"]
    path = f"/admin/clients/{client.id}/listening"
    assert "0 listen streams" in read(await browser.get(path, headers=HTMX)).text
    assert "reason" in read(await browser.post(path, data={"reason": ""}, headers=HTMX), 422).text
    toast = read(await browser.post(path, data={"reason": "moving"}, headers=HTMX))
    assert "No listen stream was open" in toast.one("div.toast").text


async def test_a_viewer_sees_groups_and_blocks_and_changes_nothing(console: Console) -> None:
    viewer = await console.signed_in(Role.VIEWER, "vic")
    await member(console, "one")
    await console.room.operations.block(OPERATOR, BlockKind.CLIENT, "bot", "abuse")
    for path in ("/admin/groups", "/admin/groups/planners", "/admin/blocks"):
        page = read(await viewer.get(path))
        assert not page.one("main").select("a.btn"), path
    posts = ("/admin/blocks", "/admin/groups/planners/members/X/removal", "/admin/clients/X/listening")
    assert [(await viewer.post(path, data={"reason": "r"})).status_code for path in posts] == [403, 403, 403]


async def test_expiring_many_can_block_what_they_share_or_says_that_they_share_nothing(
    console: Console, browser: httpx2.AsyncClient
) -> None:
    ids = [(await opened(console, name)).id for name in ("bad-bot", "bad-bot", "desk")]
    shared = read(await browser.get("/admin/expirations", params={"id": ids[:2]}, headers=HTMX))
    offered = [each.attributes["value"] for each in shared.one("details.also").select("input")]
    assert offered[:2] == ["", "client:bad-bot"]
    mixed = read(await browser.get("/admin/expirations", params={"q": "state:live"}, headers=HTMX))
    assert "client:bad-bot" not in [each.attributes["value"] for each in mixed.one("details.also").select("input")]
    sent = {"id": ids[:2], "reason": " ", "what": "client:bad-bot", "seconds": "0"}
    again = read(await browser.post("/admin/expirations", data=sent, headers=HTMX), 422)
    assert "open" in again.one("details.also").attributes, "what was chosen is still chosen"
    await browser.post("/admin/expirations", data={**sent, "reason": "abuse"}, headers=HTMX)
    (shown,) = console.room.directory.rules.blocks()
    assert (shown.block.value, shown.block.reason) == ("bad-bot", "abuse")
    assert list(console.room.engine.by_id) == ids[2:]
