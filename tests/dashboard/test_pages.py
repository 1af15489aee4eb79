"""Pages, as an operator's browser gets them from a real engine."""

from __future__ import annotations

import gc

import pytest

from switchroom.server.models import Actor, Role
from tests.support.console import Console
from tests.support.html import Element
from tests.support.pages import modern_call, opened, read, running_pages

pytestmark = pytest.mark.anyio

HOSTILE = '<img src=x onerror=alert(1)>\u202e" hx-get="/admin/logout" x="'
EVERY_PAGE = [
    "/admin/",
    "/admin/sessions",
    "/admin/sessions?q=client:nobody",
    "/admin/sessions?q=state:live&sort=-requests&size=25",
    "/admin/clients",
    "/admin/broadcasts",
    "/admin/audit",
    "/admin/health",
    "/admin/shortcuts",
]
TABS = ["", "/events", "/keys", "/streams", "/capabilities", "/audit", "/menu"]
FORMS = ["/expiration", "/replays", "/messages"]


def row_ids(page: Element) -> list[str]:
    return [row.attributes["id"].removeprefix("s-") for row in page.select("tr") if "id" in row.attributes]


def facet(page: Element, label: str) -> Element:
    return next(each for each in page.select("a.facet") if each.one("span").text == label)


@pytest.mark.parametrize("path", EVERY_PAGE)
async def test_every_page_is_complete(console: Console, path: str) -> None:
    browser = await console.signed_in()
    page = read(await browser.get(path))
    assert page.one("h1").text if path != "/admin/shortcuts" else page.one("h2").text
    assert page.select("main#main") and page.select("nav#rail") and len(page.select("title")) == 1
    assert not [each for each in page.walk() if "style" in each.attributes]


@pytest.mark.parametrize("tail", TABS + FORMS)
async def test_every_page_of_a_session_is_complete(console: Console, tail: str) -> None:
    session = await opened(console, calls=2)
    browser = await console.signed_in()
    answer = await browser.get(f"/admin/sessions/{session.id}{tail}")
    assert answer.status_code == 200 and "no-store" in answer.headers["cache-control"]
    assert answer.headers["vary"] == "HX-Request"


@pytest.mark.parametrize("path", [*EVERY_PAGE, "/admin/live?view=sessions", "/admin/go?to=x", "/admin/expirations"])
async def test_no_page_opens_without_a_sign_in(console: Console, path: str) -> None:
    answer = await console.browser().get(path, headers={"Accept": "text/html"})
    assert answer.status_code == 303 and answer.headers["location"].startswith("/admin/login")


async def test_the_list_shows_the_session_with_its_numbers(console: Console) -> None:
    session = await opened(console, "claude-code", calls=3)
    page = read(await (await console.signed_in()).get("/admin/sessions"))
    (row,) = [each for each in page.select("tr") if each.attributes.get("id") == f"s-{session.id}"]
    assert "claude-code" in row.one("div.who-is").text
    assert row.one("td.c2").text == "Active"
    assert row.select("td.n")[0].text == "4", "three calls and initialize"
    assert facet(page, "Active").one("b").text == "1"


async def test_a_filter_becomes_chips_that_can_be_removed(console: Console) -> None:
    await opened(console, "kept")
    await opened(console, "left-out")
    browser = await console.signed_in()
    page = read(await browser.get("/admin/sessions", params={"q": "client:kept errors:0"}))
    assert len(row_ids(page)) == 1
    chips = page.select("span.chip")
    assert [chip.text.strip() for chip in chips] == ["client:kept", "errors:0"]
    rest = chips[0].one("a").attributes["href"]
    assert len(row_ids(read(await browser.get(rest)))) == 2


async def test_words_being_typed_filter_at_once_and_enter_makes_them_chips(console: Console) -> None:
    await opened(console, "kept")
    await opened(console, "left-out")
    browser = await console.signed_in()
    page = read(await browser.get("/admin/sessions", params={"add": "kept"}))
    assert len(row_ids(page)) == 1 and page.one("input#add").attributes["value"] == "kept"
    assert not page.select("span.chip")
    answer = await browser.get("/admin/sessions", params={"q": "errors:0", "add": "kept", "apply": "1"})
    assert answer.status_code == 303 and "errors%3A0+kept" in answer.headers["location"].replace(":", "%3A")


async def test_a_wrong_filter_is_a_422_with_the_nearest_key_and_keeps_what_was_typed(console: Console) -> None:
    browser = await console.signed_in()
    page = read(await browser.get("/admin/sessions", params={"add": "clint:x"}), 422)
    error = page.one("p#filter-error")
    assert 'did you mean "client"' in error.text and "hidden" not in error.attributes
    assert page.one("input#add").attributes["value"] == "clint:x"


async def test_facets_replace_the_state_and_keep_the_rest_of_the_filter(console: Console) -> None:
    browser = await console.signed_in()
    page = read(await browser.get("/admin/sessions", params={"q": "state:idle errors:0"}))
    assert facet(page, "Idle").attributes["aria-current"] == "true"
    assert facet(page, "Closed").attributes["href"] == "/admin/sessions?q=state:closed+errors:0"
    assert facet(page, "All states").attributes["href"] == "/admin/sessions?q=errors:0"


async def test_paging_forth_and_back_shows_every_session_once(console: Console) -> None:
    for number in range(30):
        await opened(console, f"client-{number:02}")
    browser = await console.signed_in()
    first = read(await browser.get("/admin/sessions", params={"size": "25", "sort": "client"}))
    second = read(await browser.get(first.one("a[rel=next]").attributes["href"]))
    assert len(row_ids(first)) == 25 and len(row_ids(second)) == 5
    assert not set(row_ids(first)) & set(row_ids(second))
    assert "26 to 30 of 30" in second.one("nav.pager").text
    back = read(await browser.get(second.one("a[rel=prev]").attributes["href"]))
    assert row_ids(back) == row_ids(first)


async def test_the_heads_sort_and_say_which_one_is_in_force(console: Console) -> None:
    browser = await console.signed_in()
    for name in ("b", "a"):
        await opened(console, name)
    page = read(await browser.get("/admin/sessions", params={"sort": "client"}))
    (head,) = [each for each in page.select("th") if each.attributes.get("aria-sort")]
    assert head.text.strip() == "Client" and head.attributes["aria-sort"] == "ascending"
    assert [each.text.split()[0] for each in page.select("div.who-is")] == ["aa", "bb"]
    assert head.one("a").attributes["href"] == "/admin/sessions?sort=-client"


async def test_an_empty_console_says_where_clients_connect(console: Console) -> None:
    page = read(await (await console.signed_in()).get("/admin/sessions"))
    assert page.one("div.empty").one("h2").text == "No sessions yet"
    assert "http://127.0.0.1:8000/mcp" in page.one("p.code").text


async def test_no_match_offers_each_term_to_be_removed(console: Console) -> None:
    await opened(console)
    page = read(await (await console.signed_in()).get("/admin/sessions?q=client:nobody"))
    assert [each.text for each in page.one("div.empty").select("a.btn")] == ["Remove client:nobody", "Clear all"]


async def test_a_stored_value_is_on_the_page_only_when_it_was_asked_for(console: Console) -> None:
    session = await opened(console)
    actor = await console.signed_in()
    caller = console.mcp_client()
    await caller.initialize()
    await caller.call("set_session_data", key="plan", value="marker-4711")
    held = await console.room.directory.lookup(caller.secret)
    listed = read(await actor.get(f"/admin/sessions/{held.id}/keys"))
    assert "plan" in listed.one("div#keys-table").text and "marker-4711" not in listed.text
    shown = read(await actor.get(f"/admin/sessions/{held.id}/keys?view=plan"))
    assert "marker-4711" in shown.one("div#key-value").text
    assert not read(await actor.get(f"/admin/sessions/{session.id}/keys?view=plan")).select("div#key-value")


async def test_a_chosen_event_is_shown_with_its_payload_and_leads_to_its_request(console: Console) -> None:
    session = await opened(console, calls=1)
    browser = await console.signed_in()
    log = read(await browser.get(f"/admin/sessions/{session.id}/events?kind=response&method=tools/call"))
    (entry,) = log.one("tbody#log-rows").select("tr")
    page = read(await browser.get(entry.one("a").attributes["href"]))
    inspector = page.one("div#inspector")
    assert '"result"' in inspector.one("div.json").text
    request = read(await browser.get(inspector.one("a.code").attributes["href"]))
    assert '"tools/call"' in request.one("div#inspector").one("div.json").text
    raw = await browser.get(f"/admin/sessions/{session.id}/events/{entry.attributes['id'][2:]}/payload")
    assert raw.headers["content-type"].startswith("text/plain") and '"result"' in raw.text


async def test_the_log_filters_and_says_so(console: Console) -> None:
    session = await opened(console, calls=2)
    browser = await console.signed_in()
    everything = read(await browser.get(f"/admin/sessions/{session.id}/events"))
    calls = read(await browser.get(f"/admin/sessions/{session.id}/events?kind=request&method=tools/call"))
    assert len(calls.one("tbody#log-rows").select("tr")) == 2
    assert len(everything.one("tbody#log-rows").select("tr")) > 4
    none = read(await browser.get(f"/admin/sessions/{session.id}/events?errors=1"))
    assert none.one("section#events").one("div.empty").one("h2").text == "No event matches"


async def test_hostile_names_are_shown_and_stay_inert(console: Console) -> None:
    session = await opened(console, HOSTILE, calls=1)
    browser = await console.signed_in()
    paths = ["/admin/sessions", "/admin/", *(f"/admin/sessions/{session.id}{tail}" for tail in TABS + FORMS)]
    for path in paths:
        page = read(await browser.get(path))
        for each in page.walk():
            assert each.tag != "img" and "onerror" not in each.attributes
            assert each.attributes.get("hx-get") != "/admin/logout"
        assert "\u202e" not in page.text


async def test_an_unknown_session_is_a_404_that_says_what_may_have_happened(console: Console) -> None:
    browser = await console.signed_in()
    page = read(await browser.get("/admin/sessions/0000000000000"), 404)
    assert "not known here" in page.text


async def test_the_go_field_leads_to_a_session_or_to_what_matches(console: Console) -> None:
    session = await opened(console, "claude-code")
    browser = await console.signed_in()
    expected = {
        session.id.lower(): f"/admin/sessions/{session.id}",
        "claude": "/admin/sessions?q=claude",
        "unknown:key": "/admin/sessions?q=%22unknown:key%22",
        "": "/admin/sessions",
    }
    for typed, location in expected.items():
        answer = await browser.get("/admin/go", params={"to": typed})
        assert (answer.status_code, answer.headers["location"]) == (303, location)


async def test_a_viewer_sees_everything_and_no_way_to_act(console: Console) -> None:
    session = await opened(console, calls=1)
    viewer = await console.signed_in(Role.VIEWER)
    paths = ["/admin/sessions", "/admin/broadcasts", *(f"/admin/sessions/{session.id}{tail}" for tail in TABS)]
    for path in paths:
        page = read(await viewer.get(path))
        words = [each.text.strip() for each in page.select("a") + page.select("button")]
        verbs = ("Expire…", "Expire by", "Replay", "Message", "Broadcast…", "New broadcast", "Cancel call")
        assert not [word for word in words if word.startswith(verbs)]
        assert not page.select("input.pick")


@pytest.mark.parametrize("path", ["/admin/expirations", "/admin/broadcasts/new"])
async def test_a_viewer_is_refused_the_forms(console: Console, path: str) -> None:
    viewer = await console.signed_in(Role.VIEWER)
    assert (await viewer.get(path)).status_code == 403


async def test_htmx_gets_a_form_as_a_part_and_everybody_else_as_a_page(console: Console) -> None:
    session = await opened(console)
    browser = await console.signed_in()
    path = f"/admin/sessions/{session.id}/expiration"
    part = read(await browser.get(path, headers={"HX-Request": "true"}))
    assert part.one("form.sheet") and not part.select("title")
    assert read(await browser.get(path)).one("main#main").one("form.sheet")


async def test_the_health_page_explains_refused_ids_and_takes_whole_ones_by_post_only(console: Console) -> None:
    browser = await console.signed_in(Role.VIEWER)
    assert "No session id has been refused" in (await browser.get("/admin/health")).text
    caller = console.mcp_client()
    await caller.initialize(HOSTILE)
    secret = caller.secret
    session = await console.room.directory.lookup(secret)
    live = read(await browser.post("/admin/health/diagnosis", data={"mcp_session_id": f" {secret} "}))
    assert "is live" in live.one("p.note").text and secret not in live.text
    assert live.one("p.note").one("a").attributes["href"] == f"/admin/sessions/{session.id}"
    actor = Actor("ana", Role.OPERATOR)
    await console.room.operations.expire(actor, "<b>bold</b>", session_ids=[session.id])
    assert (await caller.call("get_session_data", key="a")).status_code == 404
    answer = await browser.post("/admin/health/diagnosis", data={"mcp_session_id": secret})
    page = read(answer)
    assert secret not in answer.text and "<b>bold" not in answer.text and "<img" not in answer.text
    (row,) = page.one("table.refused").one("tbody").select("tr")
    for shown in (page.one("p.note.bad").text, row.text):
        assert "was expired by operator ana" in shown and "<b>bold</b>" in shown and secret[:8] in shown
    bare = await browser.get("/admin/health/diagnosis")
    assert (bare.status_code, bare.headers["location"]) == (303, "/admin/health")


async def test_a_console_that_is_gone_leaves_next_to_nothing_behind() -> None:
    async def come_and_go() -> int:
        async with running_pages() as console:
            assert (await (await console.signed_in()).get("/api/openapi.json")).status_code == 200
        gc.collect()
        return len(gc.get_objects())

    for _ in range(2):  # what is made once for the process
        await come_and_go()
    before = await come_and_go()
    assert await come_and_go() - before < 1_000


def unguarded(element: Element, *, is_inert: bool = False) -> list[str]:
    """Return the texts of a client that htmx would look at for attributes of its own."""
    found: list[str] = []
    for child in element.children:
        if isinstance(child, str):
            found += [child.strip()] if "zq9" in child and not is_inert else []
        elif child.tag not in ("title", "option", "textarea"):
            found += unguarded(child, is_inert=is_inert or "hx-ignore" in child.attributes)
    return found


async def test_htmx_looks_at_nothing_that_a_client_has_said(console: Console) -> None:
    caller = console.mcp_client()
    await caller.initialize("zq9-client")
    await caller.call("set_session_data", request_id=1, key="zq9-key", value="zq9-value")
    await caller.call("zq9-tool", request_id=2, text="zq9-argument")
    own = f"sessions/{(await console.room.directory.lookup(caller.secret)).id}"
    browser = await console.signed_in()
    for path in ("", "sessions", "events", "errors", own, f"{own}/events", f"{own}/keys", f"{own}/errors"):
        page = read(await browser.get(f"/admin/{path}"))
        assert "zq9" in page.text and unguarded(page) == [], path


async def test_a_sessionless_client_is_shown_as_a_client_wherever_its_reference_leads() -> None:
    async with running_pages() as console:
        await modern_call(console, "echo", text="hello")
        browser = await console.signed_in()
        (client,) = await console.room.directory.clients()
        own = f"/admin/clients/{client.id}"
        for path, place in (("", own), ("/events?errors=1&sel=1", f"{own}?errors=1&sel=1"), ("/keys", own)):
            answer = await browser.get(f"/admin/sessions/{client.id}{path}", follow_redirects=False)
            assert (answer.status_code, answer.headers["location"]) == (303, place)
        answer = await browser.get(f"/admin/sessions/{client.id}/audit", follow_redirects=False)
        assert answer.headers["location"] == f"/admin/audit?q={client.id}"
        links = [link.attributes.get("href", "") for link in read(await browser.get(own)).one("#summary").select("a")]
        assert links and all(link.startswith((own, "/admin/sessions?")) for link in links)
