"""From text to terms: one pass over the characters, linear and bounded."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping

from .errors import FilterError, shorten, unknown_key, unknown_value
from .fields import FIELDS, SEARCH_KEY, Field, ValueKind
from .matching import Term
from .values import Op, Test, fold, parse_duration, version_key

MAX_LENGTH = 2_000
"""Characters of a filter."""
MAX_TERMS = 50
"""Terms of a filter, and values in all of them together."""
_MAX_WILDCARDS = 8

_KEY = re.compile(r'([^\s:"]*):')
_WORD = re.compile(r"\S+")
_BARE = re.compile(r"[^\s,]*")
_OPERATOR = re.compile(r"<=|>=|<|>|=")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_COUNT = re.compile(r"[0-9]{1,15}")

_STAR = "\ue000"
"""Stands for an escaped `*` while wildcards are split off; private use, and refused in a filter."""


def parse_terms(text: str, fields: Mapping[str, Field] = FIELDS) -> list[Term]:
    """Return the terms in the order they were typed.

    Args:
        fields: The keys that may be used; one of them is the one of free text.

    Raises:
        FilterError: See `parse_filter`.
    """
    _check_characters(text)
    scanner = _Scanner(text, fields)
    terms: list[Term] = []
    values = 0
    while scanner.skip_spaces():
        start = scanner.position
        terms.append(scanner.term())
        values += len(terms[-1].tests)
        if values > MAX_TERMS:
            raise FilterError(f"A filter takes at most {MAX_TERMS} terms and values.", position=start)
    return terms


def quote_value(value: str) -> str:
    """Return `value` as it must be spelled after `key:` to mean exactly this text."""
    return _spell(value, is_wildcard=False)


def _check_characters(text: str) -> None:
    if len(text) > MAX_LENGTH:
        raise FilterError(f"A filter has at most {MAX_LENGTH:,} characters.", position=MAX_LENGTH)
    if text.isascii() and text.isprintable():
        return
    for position, character in enumerate(text):
        is_refused = unicodedata.category(character) in ("Cc", "Cs") and not character.isspace()
        if is_refused or character in "\x1c\x1d\x1e\x1f" or character == _STAR:
            raise FilterError(f"Character {position + 1} cannot be part of a filter.", position=position)


class _Scanner:
    """A position in the text of a filter."""

    def __init__(self, text: str, fields: Mapping[str, Field]) -> None:
        self.text = text
        self._fields = fields
        self.position = 0

    def skip_spaces(self) -> bool:
        while self.position < len(self.text) and self.text[self.position].isspace():
            self.position += 1
        return self.position < len(self.text)

    def term(self) -> Term:
        start = self.position
        is_negated = self._take("-")
        key = _KEY.match(self.text, self.position)
        if key is None:
            return self._free_text(start, is_negated)
        field = self._fields.get(key[1].casefold())
        if field is None:
            raise unknown_key(key[1], self.position, self._fields)
        self.position = key.end()
        tests = [self._value(field)]
        while self._take(","):
            tests.append(self._value(field))
        if self.position < len(self.text) and not self.text[self.position].isspace():
            raise FilterError(f"Put a space or a comma before character {self.position + 1}.", position=self.position)
        return _make_term(field, is_negated, tests)

    def _free_text(self, start: int, is_negated: bool) -> Term:
        if self.text.startswith('"', self.position):
            typed = self._quoted()
        else:
            match = _WORD.match(self.text, self.position)
            if match is None:
                raise FilterError(f'Nothing follows the "-" at character {start + 1}.', position=start)
            typed = match[0]
            self.position = match.end()
        value = typed.replace(_STAR, "*")
        if not value.strip():
            raise FilterError(f"There is no text in the quotes at character {start + 1}.", position=start)
        return _make_term(self._fields[SEARCH_KEY], is_negated, [Test(Op.CONTAINS, fold(value), _spell(value))])

    def _value(self, field: Field) -> Test:
        start = self.position
        operator = _OPERATOR.match(self.text, self.position)
        if operator is not None:
            self.position = operator.end()
        is_quoted = self.text.startswith('"', self.position)
        if is_quoted:
            typed = self._quoted()
        else:
            bare = _BARE.match(self.text, self.position)
            typed = bare[0] if bare is not None else ""
            self.position += len(typed)
        if not typed and not is_quoted:
            raise FilterError(f'"{field.key}:" needs a value, for example {field.key}:{field.example}.', position=start)
        op = Op(operator[0]) if operator is not None else None
        return _READERS[field.kind](field, op, typed, start)

    def _quoted(self) -> str:
        match = _QUOTED.match(self.text, self.position)
        if match is None:
            raise FilterError(f"The quote at character {self.position + 1} is not closed.", position=self.position)
        self.position = match.end()
        return _ESCAPE.sub(lambda escape: _STAR if escape[1] == "*" else escape[1], match[1])

    def _take(self, character: str) -> bool:
        if not self.text.startswith(character, self.position):
            return False
        self.position += 1
        return True


def _make_term(field: Field, is_negated: bool, tests: list[Test]) -> Term:
    unique = tuple({test.text: test for test in tests}.values())
    values = ",".join(test.text for test in unique)
    if field.key == SEARCH_KEY and len(unique) == 1:
        text = _spell_free(str(unique[0].operand), values)
    else:
        text = f"{field.key}:{values}"
    return Term(field, is_negated, unique, f"-{text}" if is_negated else text)


def _spell(value: str, *, is_wildcard: bool = False, is_ordered: bool = False) -> str:
    """Spell a value so that it is read back as itself; `_STAR` is a literal star in a wildcard."""
    literal = _STAR in value if is_wildcard else "*" in value
    is_bare = (
        value != ""
        and not literal
        and "," not in value
        and not any(character.isspace() for character in value)
        and not value.startswith('"')
        and (is_ordered or not _OPERATOR.match(value))
    )
    if is_bare:
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    escaped = escaped.replace(_STAR, "\\*") if is_wildcard else escaped.replace("*", "\\*")
    return f'"{escaped}"'


def _spell_free(folded: str, spelled: str) -> str:
    """Spell free text: beside what a value needs, a colon and a leading `-` must be quoted."""
    if spelled.startswith('"') or not (":" in folded or folded.startswith("-")):
        return spelled
    escaped = spelled.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _read_choice(field: Field, op: Op | None, typed: str, position: int) -> Test:
    name = typed.casefold()
    if op not in (None, Op.EQUAL) or name not in field.choices:
        raise unknown_value(field.key, typed, position, field.choices)
    return Test(Op.EQUAL, name, name)


def _read_count(field: Field, op: Op | None, typed: str, position: int) -> Test:
    if not _COUNT.fullmatch(typed):
        raise FilterError(
            f'"{field.key}:" takes a number, for example {field.key}:>0, not "{shorten(typed)}".', position=position
        )
    number = int(typed)
    return Test(op or Op.EQUAL, number, f"{_prefix(op)}{number}")


def _read_duration(field: Field, op: Op | None, typed: str, position: int) -> Test:
    seconds = parse_duration(typed.casefold())
    if seconds is None or op is None or not op.is_ordering:
        raise FilterError(
            f'"{field.key}:" takes < or > and a time with its unit (s, m, h, d, w), '
            f'for example {field.key}:>10m, not "{shorten(typed)}".',
            position=position,
        )
    return Test(op, seconds, f"{op.value}{typed.casefold()}")


def _read_search(field: Field, op: Op | None, typed: str, position: int) -> Test:
    value = f"{op.value if op else ''}{typed}".replace(_STAR, "*")
    if not value.strip():
        raise FilterError(f'"{field.key}:" needs a value, for example {field.key}:{field.example}.', position=position)
    return Test(Op.CONTAINS, fold(value), _spell(value))


def _read_text(field: Field, op: Op | None, typed: str, position: int) -> Test:
    if op is not None and op.is_ordering:
        if field.kind in (ValueKind.TEXT, ValueKind.NAMES):
            raise FilterError(f'"{field.key}:" compares text: it takes no {op.value}.', position=position)
        value = typed.replace(_STAR, "*")
        if not value:
            raise FilterError(f'"{field.key}:" needs a value after {op.value}.', position=position)
        if field.kind is ValueKind.VERSION and version_key(value) is None:
            raise FilterError(
                f'"{shorten(value)}" is not a version such as 2.1, so {op.value} cannot compare with it.',
                position=position,
            )
        operand = value if field.kind is ValueKind.VERSION else fold(value)
        return Test(op, operand, f"{op.value}{_spell(value)}")
    if op is None and "*" in typed:
        return _read_wildcard(field, typed, position)
    value = typed.replace(_STAR, "*")
    operand = value if field.kind is ValueKind.VERSION else fold(value)
    return Test(Op.EQUAL, operand, _spell(value))


def _read_wildcard(field: Field, typed: str, position: int) -> Test:
    pattern = re.sub(r"\*+", "*", typed)
    if pattern.count("*") > _MAX_WILDCARDS:
        raise FilterError(f'A value of "{field.key}:" takes at most {_MAX_WILDCARDS} wildcards.', position=position)
    parts = tuple(fold(part.replace(_STAR, "*")) for part in pattern.split("*"))
    return Test(Op.WILDCARD, parts, _spell(pattern, is_wildcard=True))


def _prefix(op: Op | None) -> str:
    return op.value if op is not None and op.is_ordering else ""


_READERS: Mapping[ValueKind, Callable[[Field, Op | None, str, int], Test]] = {
    ValueKind.STATE: _read_choice,
    ValueKind.CHOICE: _read_choice,
    ValueKind.TEXT: _read_text,
    ValueKind.NAMES: _read_text,
    ValueKind.DATE: _read_text,
    ValueKind.VERSION: _read_text,
    ValueKind.COUNT: _read_count,
    ValueKind.DURATION: _read_duration,
    ValueKind.SEARCH: _read_search,
}
