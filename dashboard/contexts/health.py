"""What the health page reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class HealthPage:
    """The health page."""

    template: ClassVar[str] = "health/index.html"
    name: ClassVar[str] = "report"
    is_ok: bool
    store_message: str
    figures: tuple[tuple[str, str], ...]
    limits: tuple[tuple[str, str], ...]
    started_at: float
