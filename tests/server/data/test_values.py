"""Stored values: what has a JSON form, what has none, and typed values back again."""

from __future__ import annotations

import datetime
import math
from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr

from switchroom.server.data.values import MAX_NAME, check_name, reader_of, to_json
from switchroom.server.errors import InvalidInput


class Line(BaseModel):
    item: str
    count: int = 1


@dataclass
class Point:
    x: int
    y: int


class Login(BaseModel):
    name: str
    password: SecretStr


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": [1, None, True]}, '{"a":[1,null,true]}'),
        ("ü", '"\\u00fc"'),
        (Line(item="tea"), '{"item":"tea","count":1}'),
        ([Line(item="tea", count=2)], '[{"item":"tea","count":2}]'),
        (Point(1, 2), '{"x":1,"y":2}'),
        (datetime.date(2026, 7, 28), '"2026-07-28"'),
    ],
)
def test_a_value_becomes_json_text_in_ascii(value: object, text: str) -> None:
    assert to_json(value) == text


@pytest.mark.parametrize("value", [math.nan, math.inf, object(), {"a": object()}])
def test_a_value_without_a_json_form_is_refused(value: object) -> None:
    with pytest.raises(InvalidInput, match="must be JSON"):
        to_json(value)


def test_a_value_that_holds_itself_is_refused() -> None:
    ring: list[Any] = []
    ring.append(ring)
    with pytest.raises(InvalidInput, match="must be JSON"):
        to_json(ring)
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(InvalidInput, match="nested too deep"):
        to_json(deep)


@pytest.mark.parametrize("value", [SecretStr("hunter2"), Login(name="ann", password=SecretStr("hunter2"))])
def test_a_secret_is_neither_stored_as_asterisks_nor_in_the_open(value: object) -> None:
    with pytest.raises(InvalidInput, match="secret=True"):
        to_json(value)
    assert '"hunter2"' in to_json(value, may_hold_secrets=True)


def test_a_stored_value_is_read_as_its_type() -> None:
    assert reader_of(Line, "line")('{"item":"tea"}') == Line(item="tea", count=1)
    assert reader_of(Point, "point")('{"x":1,"y":2}') == Point(1, 2)
    assert reader_of(list[int], "numbers")("[1,2]") == [1, 2]


def test_a_value_of_another_type_is_an_error_that_names_the_key_and_never_the_value() -> None:
    with pytest.raises(InvalidInput, match='Stored key "line" is no Line: count') as error:
        reader_of(Line, "line")('{"item":"tea","count":"hunter2"}')
    assert "hunter2" not in error.value.message


@pytest.mark.parametrize("name", ["a", "ä b/c:d", "x" * MAX_NAME])
def test_a_name_that_people_can_read_is_taken(name: str) -> None:
    check_name(name)


@pytest.mark.parametrize("name", ["", "x" * (MAX_NAME + 1), "a\nb", "a\0", "\x1b[31m", "\u202ea", "\ud800"])
def test_a_name_that_people_cannot_read_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="1 to 200 printable characters"):
        check_name(name)
