"""Reads markup as a tree, so that tests name elements instead of comparing strings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = frozenset({"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"})

_SELECTOR = re.compile(r"(?P<tag>[a-z][a-z0-9-]*)?(?P<rest>(?:#[\w-]+|\.[\w-]+|\[[\w:-]+(?:=[^\]]*)?\])*)")
_PART = re.compile(r"#([\w-]+)|\.([\w-]+)|\[([\w:-]+)(?:=([^\]]*))?\]")


@dataclass
class Element:
    """One element with everything inside it."""

    tag: str
    attributes: dict[str, str]
    children: list[Element | str] = field(default_factory=list["Element | str"])

    @property
    def text(self) -> str:
        """All text inside, as it is written."""
        return "".join(child if isinstance(child, str) else child.text for child in self.children)

    @property
    def classes(self) -> list[str]:
        return self.attributes.get("class", "").split()

    def walk(self) -> Iterator[Element]:
        """Yield this element and all inside it, in document order."""
        yield self
        for child in self.children:
            if isinstance(child, Element):
                yield from child.walk()

    def select(self, selector: str) -> list[Element]:
        """Return the elements inside that match one compound selector: `tag#id.class[name=value]`."""
        match = _SELECTOR.fullmatch(selector)
        assert match, f"{selector!r} is more than one compound selector"
        parts = _PART.findall(match["rest"])
        return [each for each in self.walk() if each is not self and _matches(each, match["tag"], parts)]

    def one(self, selector: str) -> Element:
        """Return the only element inside that matches."""
        found = self.select(selector)
        assert len(found) == 1, f"{len(found)} elements match {selector!r}"
        return found[0]


def parse(markup: str) -> Element:
    """Return the root of a page or a part."""
    builder = _Builder()
    builder.feed(markup)
    builder.close()
    return builder.root


def _matches(element: Element, tag: str | None, parts: list[tuple[str, str, str, str]]) -> bool:
    if tag and element.tag != tag:
        return False
    for id_, class_, name, value in parts:
        if id_ and element.attributes.get("id") != id_:
            return False
        if class_ and class_ not in element.classes:
            return False
        if name and (name not in element.attributes or (value and element.attributes[name] != value.strip('"'))):
            return False
    return True


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("", {})
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(element)
        if tag not in _VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open[-1].children.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        for depth in range(len(self._open) - 1, 0, -1):
            if self._open[depth].tag == tag:
                del self._open[depth:]
                return

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)
