"""What the health page reads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from ...server.directory import Refusal
from ..urls import Urls
from .charts import Chart
from .shell import LiveLink


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
class HealthFact:
    """One figure with its label; `tone` marks one that is not as it should be."""

    name: ClassVar[str] = "vital"
    label: str
    value: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class LimitRow:
    """One limit in force."""

    name: ClassVar[str] = "limit"
    label: str
    allowed: str
    used: str
    """The most that anybody uses of it now; empty where each request is judged alone."""
    who: str
    width: float
    """Per cent of the limit that is used."""
    tone: str
    hits: int
    hit_at: float
    hit_by: str


@dataclass(frozen=True, slots=True)
class StalledRow:
    """A stream that looks alive and is not."""

    name: ClassVar[str] = "stalled"
    client: str
    url: str
    kind: str
    opened_at: float
    since: float


@dataclass(frozen=True, slots=True)
class HealthNow:
    """What changes while one looks; the stream replaces it as a whole."""

    template: ClassVar[str] = "health/_now.html"
    name: ClassVar[str] = "state"
    is_ok: bool
    store_message: str
    store: tuple[HealthFact, ...]
    process: tuple[HealthFact, ...]
    streams: tuple[HealthFact, ...]
    cut: str
    """The age at which something cuts streams, in a sentence; empty when nothing does."""
    stalled: tuple[StalledRow, ...]
    limits: tuple[LimitRow, ...]
    """Empty when limits are off."""


@dataclass(frozen=True, slots=True)
class HealthPage:
    """The health page."""

    template: ClassVar[str] = "health/index.html"
    name: ClassVar[str] = "report"
    live_link: LiveLink
    now: HealthNow
    charts: tuple[Chart, ...]
    kept: tuple[tuple[str, str], ...]
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
