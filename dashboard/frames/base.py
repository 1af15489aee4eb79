"""The contract of a page's frames, and the markup of one partial."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from ..templating import Context, Templates


class Frame(NamedTuple):
    """What one turn of a stream sends."""

    html: str
    """Partials one after another; empty when nothing changed."""
    n: int
    """The position after this frame."""


class Resync(Exception):
    """More happened than a frame can tell: the page reads everything again."""


class FrameSource(Protocol):
    """The changing parts of one page, for one follower. Used by one stream and not shared."""

    async def frame(self, since: int) -> Frame:
        """Return what changed after the position `since`; called at most once a second.

        Raises:
            Resync: The page has to be read again.
            SwitchroomError: What the page shows is gone, or cannot be read now.
        """
        ...


class Parts:
    """Collects the partials of one frame, leaving out those that came out as the last time."""

    def __init__(self, templates: Templates) -> None:
        self._templates = templates
        self._sent: dict[str, int] = {}
        self._parts: list[str] = []
        self._size = 0

    def show(self, target: str, context: Context) -> None:
        """Replace the element `#target` by the rendered context, if that differs from what was sent last."""
        text = self._templates.render(context)
        if self._is_news(target, text):
            self._parts.append(partial(target, text))

    def markup(self, target: str, markup: str) -> None:
        """Replace the element `#target` by markup that was rendered elsewhere, if it differs from the last."""
        if markup and self._is_news(target, markup):
            self._parts.append(partial(target, markup))
            self._size += len(markup)

    def text(self, target: str, text: str) -> None:
        """Set the text of the element `#target`; `text` is our own wording, without markup."""
        if self._is_news(target, text):
            self._parts.append(partial(target, text, swap="textContent"))

    def add(self, target: str, contexts: list[Context]) -> None:
        """Put rendered contexts before the first child of `#target`."""
        if contexts:
            rows = "".join(self._templates.render(context) for context in contexts)
            self._parts.append(partial(target, rows, swap="afterbegin"))

    @property
    def size(self) -> int:
        """Characters of the markup rendered elsewhere that this frame holds so far."""
        return self._size

    def take(self) -> str:
        """Return the frame's markup and begin the next one."""
        parts, self._parts, self._size = self._parts, [], 0
        return "".join(parts)

    def _is_news(self, target: str, text: str) -> bool:
        digest = hash(text)
        if self._sent.get(target) == digest:
            return False
        self._sent[target] = digest
        return True


def partial(target: str, html: str, *, swap: str = "outerMorph") -> str:
    """Return one `hx-partial`; a target that is not on the page is ignored there."""
    return f'<hx-partial hx-target="#{target}" hx-swap="{swap}">{html}</hx-partial>'
