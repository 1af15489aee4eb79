"""docs/tours.md as a script: its tasks and their steps, and hands that do exactly what a step says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal, NamedTuple

from playwright.async_api import Locator, Page

Hand = Literal["mouse", "keyboard"]

THINK, POINT, KEY, ANSWER = 1.35, 1.3, 0.28, 1.0
"""Seconds, by the keystroke-level model: before a step, for a click, for a key or letter, for the console's answer."""

TASK = re.compile(r"^## (\d)\. (.+)$", re.MULTILINE)
WAY = re.compile(r"^By (mouse|keyboard), (\d+) actions, (\d+) s:\n\n((?:\d+\. .+\n)+)", re.MULTILINE)
CLICK = re.compile(r"Click \*\*(.+)\*\* in the (\w+)\.")
PRESS = re.compile(r"Press ((?:`[^`]+` ?)+)\.")
TYPE = re.compile(r"Type `(.+)`\.")

PLACES: Final[Mapping[str, str]] = {
    "menu": ".rail",
    "tabs": "#tabs",
    "table": "main table.grid",
    "page": "main",
    "dialog": "dialog[open]",
}
FIRST_ROW = "the first row"


class Step(NamedTuple):
    """One line of the script: a click somewhere, a few keys, or a text."""

    text: str

    @property
    def keys(self) -> list[str]:
        found = PRESS.fullmatch(self.text)
        return re.findall(r"`([^`]+)`", found[1]) if found else []

    @property
    def typed(self) -> str:
        found = TYPE.fullmatch(self.text)
        return found[1] if found else ""

    @property
    def clicked(self) -> tuple[str, str] | None:
        found = CLICK.fullmatch(self.text)
        return (found[1], found[2]) if found else None

    @property
    def actions(self) -> int:
        return len(self.keys) or 1

    @property
    def seconds(self) -> float:
        """What a practised person needs for it."""
        return THINK + ANSWER + (POINT if self.clicked else KEY * (len(self.keys) or len(self.typed)))


class Way(NamedTuple):
    """A task's steps by one hand, and what the page says of them."""

    task: int
    title: str
    hand: str
    stated_actions: int
    stated_seconds: int
    steps: tuple[Step, ...]


def read_script(page: Path) -> list[Way]:
    """Return every way through every task, in the order of the page.

    Raises:
        ValueError: A line is no step that hands can do.
    """
    parts = TASK.split(page.read_text("utf-8"))[1:]
    ways: list[Way] = []
    for number, title, text in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        for hand, actions, seconds, lines in WAY.findall(text):
            steps = tuple(Step(re.sub(r"^\d+\. ", "", line)) for line in lines.splitlines())
            if strange := [step.text for step in steps if not (step.keys or step.typed or step.clicked)]:
                raise ValueError(f"no step: {strange}")
            ways.append(Way(int(number), title, hand, int(actions), int(seconds), steps))
    return ways


def find(page: Page, name: str, place: str) -> Locator:
    """Return what is clicked."""
    within = page.locator(PLACES[place])
    if name == FIRST_ROW:
        return within.locator("tbody tr a[href]").first
    link, button = within.get_by_role("link", name=name), within.get_by_role("button", name=name)
    return link.or_(button).or_(within.get_by_label(name, exact=True)).first


async def do(page: Page, step: Step) -> None:
    """Do what a step says, and nothing else; a click waits for what is to be clicked."""
    if step.clicked:
        await find(page, *step.clicked).click()
    elif step.typed:
        await page.keyboard.type(step.typed)
    for key in step.keys:
        await page.keyboard.press(key)
