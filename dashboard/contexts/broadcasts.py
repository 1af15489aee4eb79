"""Broadcasts: history, composer, and the receipt that fills while messages go out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from ...server.directory import Audience
from ...server.models import Broadcast, DeliveryStatus, Receipt
from ..charts.shares import Segment, divide
from ..formatting import count, plural
from ..urls import Urls
from .shell import LiveLink

RECEIPT_LABELS: Final[Mapping[str, tuple[str, str]]] = {
    "delivered": ("Delivered", "written to an open stream"),
    "queued": ("Queued", "sent with the next stream"),
    "not_listening": ("Not listening", "no listen stream for announcements"),
    "below_level": ("Below level", "the client asked for more severe ones"),
    "skipped": ("Skipped", "cannot take a message"),
    "failed": ("Failed", "ended, or its time ran out"),
    "pending": ("Pending", "not tried yet"),
}


@dataclass(frozen=True, slots=True)
class BroadcastRow:
    """One broadcast of the history."""

    name: ClassVar[str] = "notice"
    url: str
    at: float
    actor: str
    level: str
    text: str
    audience: str
    status: str
    total: int
    segments: tuple[Segment, ...]
    delivered: int


@dataclass(frozen=True, slots=True)
class BroadcastsPage:
    """The history."""

    template: ClassVar[str] = "broadcasts/index.html"
    name: ClassVar[str] = "history"
    rows: tuple[BroadcastRow, ...]
    can_act: bool
    older_url: str


@dataclass(frozen=True, slots=True)
class AudienceNote:
    """Whom the composer's choice would reach."""

    template: ClassVar[str] = "broadcasts/_audience.html"
    name: ClassVar[str] = "reach"
    sentence: str
    waiting: str
    button: str
    error: str


@dataclass(frozen=True, slots=True)
class Composer:
    """The form of a new broadcast."""

    template: ClassVar[str] = "broadcasts/new.html"
    name: ClassVar[str] = "composer"
    audience: str
    """`all`, `filter` or `chosen`."""
    q: str
    exclude: str
    chosen: tuple[str, ...]
    text: str
    level: str
    levels: tuple[str, ...]
    minutes: int
    idempotency_key: str
    error: str
    reach: AudienceNote


@dataclass(frozen=True, slots=True)
class Tally:
    """One figure of a receipt."""

    name: ClassVar[str] = "tally"
    label: str
    meaning: str
    count: int
    url: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class ReceiptHead:
    """The figures as they stand; the stream replaces them."""

    template: ClassVar[str] = "broadcasts/_receipt.html"
    name: ClassVar[str] = "receipt"
    status: str
    settled: int
    total: int
    segments: tuple[Segment, ...]
    sentence: str
    tallies: tuple[Tally, ...]


@dataclass(frozen=True, slots=True)
class ReceiptRow:
    """What became of one recipient."""

    name: ClassVar[str] = "outcome"
    session_id: str
    url: str
    status: str
    label: str
    at: float
    reason: str
    event_url: str
    seq: int | None


@dataclass(frozen=True, slots=True)
class BroadcastPage:
    """One broadcast."""

    template: ClassVar[str] = "broadcasts/show.html"
    name: ClassVar[str] = "bulletin"
    id: str
    at: float
    actor: str
    level: str
    text: str
    audience: str
    expires_at: float
    can_stop: bool
    stop_url: str
    receipt: ReceiptHead
    rows: tuple[ReceiptRow, ...]
    shown: str
    """Label of the status the rows are restricted to, or empty."""
    older_url: str
    live_link: LiveLink


def audience_words(broadcast: Broadcast) -> str:
    """Return whom a broadcast was meant for."""
    words = broadcast.filter or "every live session and client"
    return f"{words}, without {broadcast.exclude}" if broadcast.exclude else words


def make_rows(broadcasts: Iterable[Broadcast], urls: Urls) -> tuple[BroadcastRow, ...]:
    """Return rows of the history in the order given."""
    return tuple(
        BroadcastRow(
            url=urls.broadcast(each.id),
            at=each.created_at,
            actor=each.actor,
            level=each.level,
            text=each.text,
            audience=audience_words(each),
            status=each.status,
            total=each.audience,
            segments=_segments(each),
            delivered=each.counts.get(DeliveryStatus.DELIVERED, 0),
        )
        for each in broadcasts
    )


def make_history(broadcasts: Iterable[Broadcast], urls: Urls, *, can_act: bool, older_url: str) -> BroadcastsPage:
    """Return the history, newest first."""
    return BroadcastsPage(make_rows(broadcasts, urls), can_act, older_url)


def make_receipt(broadcast: Broadcast, urls: Urls, status: str = "") -> ReceiptHead:
    """Return the figures; `status` is the one the rows below are restricted to."""
    counts = broadcast.counts
    pending = counts.get(DeliveryStatus.PENDING, 0)
    tallies = tuple(
        Tally(label, meaning, counts.get(key, 0), urls.broadcast(broadcast.id, status=key), key == status)
        for key, (label, meaning) in RECEIPT_LABELS.items()
    )
    parts = ", ".join(f"{count(tally.count)} {tally.label.lower()}" for tally in tallies if tally.count)
    settled = broadcast.audience - pending
    return ReceiptHead(broadcast.status, settled, broadcast.audience, _segments(broadcast), parts, tallies)


def make_receipts(receipts: Iterable[Receipt], urls: Urls) -> tuple[ReceiptRow, ...]:
    """Return the rows of a receipt."""
    return tuple(
        ReceiptRow(
            session_id=receipt.session_id,
            url=urls.session(receipt.session_id),
            status=receipt.status.value,
            label=RECEIPT_LABELS[receipt.status.value][0],
            at=receipt.at,
            reason=receipt.reason or "",
            event_url=urls.session(receipt.session_id, "events", sel=receipt.seq) if receipt.seq else "",
            seq=receipt.seq,
        )
        for receipt in receipts
    )


def make_reach(audience: Audience | None, *, error: str = "", chosen: Sequence[str] = ()) -> AudienceNote:
    """Return whom the choice reaches; `audience` is `None` while the filter is wrong."""
    if audience is None:
        return AudienceNote("", "", "Send", error)
    total = audience.sessions + audience.clients
    who = plural(audience.sessions, "session")
    if audience.clients:
        who += f" and {plural(audience.clients, 'sessionless client')}"
    listening = f"{count(audience.with_stream)} of them {'has' if audience.with_stream == 1 else 'have'} an open stream"
    waiting = (
        f"{count(audience.without_stream)} {'has' if audience.without_stream == 1 else 'have'} none; "
        "the message waits for their next stream, for as long as you say below."
        if audience.without_stream
        else "The message reaches all of them at once."
    )
    if chosen:
        what = plural(len(chosen), "session")
        return AudienceNote(f"{what} chosen.", "", f"Send to {what}", "")
    if not total:
        return AudienceNote("Nobody matches right now.", "", "Send", "")
    return AudienceNote(f"{who}. {listening}.", waiting, f"Send to {who}", "")


def _segments(broadcast: Broadcast) -> tuple[Segment, ...]:
    shown = {key: broadcast.counts.get(key, 0) for key in RECEIPT_LABELS if key != "pending"}
    return divide(shown, out_of=broadcast.audience)
