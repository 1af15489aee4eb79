"""The menu of one row, opened on demand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class RowMenu:
    """What can be done with one session."""

    template: ClassVar[str] = "sessions/_menu.html"
    name: ClassVar[str] = "menu"
    id: str
    client: str
    can_act: bool
    is_live: bool
    why_no_replay: str
    why_no_message: str
    same_client_url: str
