"""Addresses, chips and pages of a list."""

from __future__ import annotations

from switchroom.dashboard.contexts.filterbar import Asked, make_bar, make_chips
from switchroom.dashboard.contexts.paging import Position, make_pager, parse_position
from switchroom.dashboard.urls import Urls
from switchroom.server.filters import parse_filter

URLS = Urls("/admin", "abc")


def test_addresses_leave_out_what_is_not_set() -> None:
    assert URLS.sessions() == "/admin/sessions"
    assert URLS.sessions("state:active errors:>0", sort="", size=None) == "/admin/sessions?q=state:active+errors:%3E0"
    assert URLS.at("/x", a=True, b=False, c=0, d=["1", "2"]) == "/admin/x?a=1&c=0&d=1&d=2"


def test_addresses_quote_what_strangers_named() -> None:
    assert URLS.session("../x?y") == "/admin/sessions/..%2Fx%3Fy"
    assert URLS.broadcast("a/b") == "/admin/broadcasts/a%2Fb"


def test_the_root_can_be_the_prefix() -> None:
    assert Urls("").sessions() == "/sessions" and Urls("").overview() == "/"


def test_each_term_is_a_chip_that_leads_to_the_others() -> None:
    chips = make_chips(parse_filter('-client:zed errors:>0 "free text"'), URLS.sessions)
    assert [(chip.key, chip.value) for chip in chips] == [("-client:", "zed"), ("errors:", ">0"), ("", '"free text"')]
    assert chips[1].url == "/admin/sessions?q=-client:zed+%22free+text%22"


def test_words_being_typed_count_but_are_no_chips() -> None:
    asked = Asked("errors:0", "zed")
    assert asked.filter.text == "errors:0 zed"
    bar = make_bar(asked, URLS.sessions, suggestions_url="")
    assert [chip.text for chip in bar.chips] == ["errors:0"] and bar.typing == "zed"


def test_a_wrong_word_leaves_the_chips_alone() -> None:
    bar = make_bar(Asked("errors:0", "clint:x"), URLS.sessions, suggestions_url="")
    assert [chip.text for chip in bar.chips] == ["errors:0"] and "client" in bar.error


def test_a_wrong_address_hands_everything_back_to_be_mended() -> None:
    bar = make_bar(Asked("clint:x", "y"), URLS.sessions, suggestions_url="")
    assert (bar.q, bar.typing, bar.chips) == ("", "clint:x y", ())


def page(position: Position, next_cursor: str | None) -> dict[str, str]:
    def address(where: Position) -> str:
        return f"{where.after}|{' '.join(where.trail)}|{where.start}"

    pager = make_pager(position, shown=10, total=99, size=10, next_cursor=next_cursor, address=address)
    return {"first": pager.first_url, "previous": pager.previous_url, "next": pager.next_url}


def test_the_trail_leads_back_page_by_page() -> None:
    assert page(Position(), "c1") == {"first": "", "previous": "", "next": "c1|-|10"}
    second = parse_position("c1", "-", 10)
    assert page(second, "c2") == {"first": "||0", "previous": "||0", "next": "c2|- c1|20"}
    third = parse_position("c2", "- c1", 20)
    assert page(third, None) == {"first": "||0", "previous": "c1|-|10", "next": ""}


def test_a_long_trail_forgets_its_beginning_and_keeps_the_first_page() -> None:
    deep = parse_position("c50", " ".join(f"c{n}" for n in range(50)), 500)
    assert len(deep.trail) == 20 and page(deep, None)["first"] == "||0"
