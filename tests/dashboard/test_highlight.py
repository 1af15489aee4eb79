"""Payloads are shown whole or say that they are cut, and nothing in them is hidden or active."""

from __future__ import annotations

import json
import time

import pytest

from switchroom.dashboard.highlight import FOLD_ABOVE, MAX_SHOWN, render_json
from switchroom.dashboard.visible import visible_block, visible_text
from tests.support.html import parse


def test_each_element_has_a_line_of_its_own() -> None:
    lines = parse(render_json('{"a": [1, null], "b": "x"}').lines).select("span.l")
    assert [line.text for line in lines] == ["{", '  "a": [', "    1,", "    null", "  ],", '  "b": "x"', "}"]


def test_kinds_of_values_are_told_apart() -> None:
    tree = parse(render_json('{"s": "t", "n": -1.5, "b": true}').lines)
    assert [tree.one(f"span.{css}").text for css in ("t", "d", "b")] == ['"t"', "-1.5", "true"]
    assert [key.text for key in tree.select("span.k")] == ['"s"', '"n"', '"b"']


@pytest.mark.parametrize(
    "hostile", ["<img src=x onerror=alert(1)>", "</span><script>alert(1)</script>", '" hx-get="/x']
)
def test_markup_in_a_payload_stays_text(hostile: str) -> None:
    for text in (json.dumps({hostile: [hostile]}), hostile):
        tree = parse(render_json(text).lines)
        assert {element.tag for element in tree.walk()} <= {"", "span", "details", "summary"}
        assert not [element for element in tree.walk() if "hx-get" in element.attributes]


def test_characters_that_hide_or_turn_text_are_written_out() -> None:
    shown = parse(render_json(json.dumps({"name": "a\u202eb\u200bc\x00\x1b[31m\ud800"})).lines).text
    assert "⟨U+202E⟩" in shown and "⟨U+200B⟩" in shown and "⟨U+D800⟩" in shown
    assert "\u202e" not in shown and "\x00" not in shown and "\x1b" not in shown


def test_long_arrays_are_folded() -> None:
    tree = parse(render_json(json.dumps(list(range(FOLD_ABOVE + 30)))).lines)
    assert "30 more items" in tree.one("summary").text
    assert len(tree.one("details").select("span.l")) == 30


def test_a_large_payload_is_cut_quickly_and_says_so() -> None:
    text = json.dumps({"rows": ["x" * 100] * 50_000})
    started = time.perf_counter()
    rendered = render_json(text)
    assert rendered.is_cut and time.perf_counter() - started < 0.3
    assert len(parse(rendered.lines).text) < MAX_SHOWN + 1_000


def test_a_very_long_string_is_cut_and_the_payload_says_so() -> None:
    rendered = render_json(json.dumps({"text": "x" * 5_000_000}))
    assert rendered.is_cut and "(5,000,000 characters)" in parse(rendered.lines).text
    assert not render_json(json.dumps({"text": "x" * 8_000})).is_cut


def test_a_payload_that_was_cut_in_the_log_is_shown_as_it_is() -> None:
    rendered = render_json('{"jsonrpc": "2.0", "res')
    assert parse(rendered.lines).text == '{"jsonrpc": "2.0", "res' and not rendered.is_cut


@pytest.mark.parametrize("text", ["[" * 3_000 + "]" * 3_000, "9" * 4_000, '"' + "x" * 200_000 + '"', "", "[]", "{}"])
def test_odd_payloads_do_no_harm(text: str) -> None:
    assert len(render_json(text).lines) < 400_000


def test_a_redacted_value_is_marked_as_such() -> None:
    assert parse(render_json('{"password": "[redacted]"}').lines).one("span.red").text == "redacted"


def test_visible_text_stays_on_one_line_and_within_its_limit() -> None:
    assert visible_text("a\nb\tc\r") == "a␊b␉c␍"
    assert visible_text("x" * 50, 10) == "x" * 10 + "…"
    assert visible_block("a\nb") == "a\nb"
