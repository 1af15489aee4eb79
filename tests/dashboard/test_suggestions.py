"""Completion in filter fields."""

from __future__ import annotations

import pytest

from switchroom.dashboard.contexts.suggestions import make_suggestions
from switchroom.server.filters.fields import FIELDS
from tests.support.pages import opened, read, running_pages


def offered(typed: str, **known: int) -> list[str]:
    return [offer.text for offer in make_suggestions(typed, FIELDS, known).offers]


def test_an_empty_field_offers_every_key() -> None:
    assert offered("") == [f"{key}:" for key in FIELDS if key != "text"]


def test_a_word_is_completed_to_keys_that_begin_with_it_first() -> None:
    assert offered("er") == ["errors:", "transport:"][:1] + [key for key in offered("er") if key != "errors:"]
    assert offered("state:live -cl") == ["state:live -client:"]


def test_values_come_with_how_many_sessions_have_them() -> None:
    offers = make_suggestions("client:", FIELDS, {"zed": 2, "claude-code": 5}).offers
    assert [(offer.text, offer.note) for offer in offers] == [("client:claude-code", "5"), ("client:zed", "2")]
    assert all(offer.is_whole for offer in offers)


def test_the_last_of_several_values_is_completed() -> None:
    assert offered("state:active,id") == ["state:active,idle"]


def test_numbers_and_times_get_examples() -> None:
    assert ">10m" in offered("idle:")[0] and offered("errors:")[0] == "errors:>0"


def test_strangers_names_are_quoted() -> None:
    assert offered("client:", **{'a "b" c': 1}) == ['client:"a \\"b\\" c"']


def test_inside_a_quote_nothing_is_offered() -> None:
    assert offered('"two wo') == []


@pytest.mark.anyio
async def test_the_field_is_answered_from_what_is_live() -> None:
    async with running_pages() as console:
        await opened(console, "seen-client")
        browser = await console.signed_in()
        part = read(await browser.get("/admin/suggestions?add=client:se", headers={"HX-Request": "true"}))
        (option,) = part.select("li[role=option]")
        assert option.attributes["data-text"] == "client:seen-client"
        part = read(await browser.get("/admin/suggestions?about=audit&add=action:ca", headers={"HX-Request": "true"}))
        assert next(each.attributes["data-text"] for each in part.select("li")) == "action:cancel"
