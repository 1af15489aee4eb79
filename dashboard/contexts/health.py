"""What the health page reads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from ...server.directory import Refusal
from ..urls import Urls


@dataclass(frozen=True, slots=True)
class RefusedId:
    """One row of the refused session ids."""

    name: ClassVar[str] = "refusal"
    prefix: str
    sentence: str
    session_url: str
    """`""` when the id names no session."""
    address: str
    principal: str | None
    """Who sent it."""
    times: int
    last_at: float


@dataclass(frozen=True, slots=True)
class DiagnosisNote:
    """The answer to an id that was asked about."""

    name: ClassVar[str] = "diagnosis"
    prefix: str
    """First eight characters of the id, which is a secret and is not shown again."""
    sentence: str
    tone: str
    """`""`, or `bad` when the id is refused."""
    session_url: str
    """`""` when its session is not kept any more."""


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
    refusals: tuple[RefusedId, ...]
    diagnosis: DiagnosisNote | None


def make_refused(refusals: Iterable[Refusal], urls: Urls) -> tuple[RefusedId, ...]:
    """Return the rows of the refused session ids."""
    return tuple(
        RefusedId(
            prefix=refusal.prefix,
            sentence=refusal.sentence,
            session_url=urls.session(refusal.session_id) if refusal.session_id is not None else "",
            address=refusal.address,
            principal=refusal.principal,
            times=refusal.times,
            last_at=refusal.last_at,
        )
        for refusal in refusals
    )
