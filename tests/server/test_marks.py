"""What tools mark as secret, read from their schemas, and how it is masked."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from pydantic import BaseModel, SecretStr, TypeAdapter

from switchroom.server.marks import MASK, Marks, Secret, marks_of, without


class Login(BaseModel):
    name: str
    password: SecretStr


class Tree(BaseModel):
    """A model that refers to itself."""

    label: str
    key: Annotated[str, Secret()] = ""
    children: list[Tree] = []


def masked(kind: Any, value: object) -> tuple[object, list[str]]:
    """Return `{"arg": value}` masked as an argument of that type, and the secrets that were in it."""
    schema: dict[str, Any] = TypeAdapter(kind).json_schema()
    definitions = schema.pop("$defs", {})
    marks = marks_of({"type": "object", "properties": {"arg": schema}, "$defs": definitions}, None)
    assert marks is not None and marks.arguments is not None
    found: list[str] = []
    return marks.arguments.apply({"arg": value, "other": value}, found)["arg"], found


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (SecretStr, "hunter2", MASK),
        (SecretStr | None, "hunter2", MASK),
        (SecretStr | None, None, None),
        (Annotated[int, Secret()], 9731, MASK),
        (Annotated[dict[str, str], Secret()], {"a": "hunter2"}, MASK),
        (list[SecretStr], ["hunter2", "hunter3"], [MASK, MASK]),
        (dict[str, SecretStr], {"a": "hunter2"}, {"a": MASK}),
        (Login, {"name": "ann", "password": "hunter2"}, {"name": "ann", "password": MASK}),
        (Login | int, {"name": "ann", "password": "hunter2"}, {"name": "ann", "password": MASK}),
        (list[Login], [{"name": "ann", "password": "hunter2"}], [{"name": "ann", "password": MASK}]),
        (tuple[str, SecretStr], ["ann", "hunter2"], [MASK, MASK]),
        (
            Tree,
            {"label": "a", "children": [{"label": "b", "key": "hunter2"}]},
            {"label": "a", "children": [{"label": "b", "key": MASK}]},
        ),
    ],
)
def test_a_marked_value_is_masked_where_it_is(kind: Any, value: object, expected: object) -> None:
    assert masked(kind, value)[0] == expected


@pytest.mark.parametrize("value", ['{"name": "ann", "password": "hunter2"}', "not json, hunter2"])
def test_an_object_sent_as_text_is_masked_whole(value: str) -> None:
    assert masked(Login, value) == (MASK, [value])


def test_what_was_masked_is_found_again_but_for_a_few_characters() -> None:
    assert masked(Annotated[dict[str, Any], Secret()], {"a": ["hunter2", 9731, "abc", True]})[1] == ["hunter2", "9731"]


@pytest.mark.parametrize(
    "schema", [None, {}, {"type": "object"}, {"properties": {"a": {"type": "string"}}}, {"properties": {"a": True}}]
)
def test_a_tool_without_marks_costs_nothing(schema: dict[str, Any] | None) -> None:
    assert marks_of(schema, schema) is None


@pytest.mark.parametrize("mark", [{"writeOnly": True}, {"format": "password"}, {"x-secret": True}])
def test_a_schema_written_by_hand_marks_too(mark: dict[str, Any]) -> None:
    schema = {"properties": {"a": {"type": "string", **mark}}}
    marks = marks_of(schema, None)
    assert isinstance(marks, Marks) and marks.arguments is not None and marks.result is None
    assert marks.arguments.apply({"a": "hunter2"}, []) == {"a": MASK}


def test_echoes_are_masked_in_every_form_and_place() -> None:
    secret = 'pass"wörd\n'
    value = {
        "text": f"you sent {secret}",
        f"{secret}": 1,
        "json": '"pass\\"w\\u00f6rd\\n"',
        "utf8": 'pass\\"wörd\\n',
        "number": 9731,
        "list": [f"{secret}{secret}"],
        "other": "nothing",
    }
    assert without([secret, "9731"], value) == {
        "text": f"you sent {MASK}",
        MASK: 1,
        "json": f'"{MASK}"',
        "utf8": MASK,
        "number": MASK,
        "list": [f"{MASK}{MASK}"],
        "other": "nothing",
    }


def test_of_two_secrets_the_longer_one_is_masked_first() -> None:
    assert without(["hunter", "hunter2000"], "hunter2000") == MASK
