"""Broadcasts: history, and the receipt that fills while messages go out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from ...server.models import Broadcast, DeliveryStatus, Receipt
from ...server.modern.listeners import LOG_MESSAGE
from ..charts.shares import Segment, divide
from ..formatting import count
from ..urls import Urls
from .composer import METHOD_LABELS
from .paging import Option, Pager
from .shell import LiveLink

RECEIPT_LABELS: Final[Mapping[str, tuple[str, str]]] = {
    "delivered": ("Delivered", "written to an open stream"),
    "queued": ("Queued", "sent with the next stream"),
    "not_listening": ("Not listening", "no listen stream for it"),
    "below_level": ("Below level", "the client asked for more severe ones"),
    "skipped": ("Skipped", "cannot take it, or was not to wait"),
    "failed": ("Failed", "ended, or its time ran out"),
    "pending": ("Pending", "not written yet"),
}


@dataclass(frozen=True, slots=True)
class BroadcastRow:
    """One broadcast of the history."""

    name: ClassVar[str] = "notice"
    url: str
    at: float
    actor: str
    kind: str
    text: str
    audience: str
    status: str
    is_trial: bool
    total: int
    segments: tuple[Segment, ...]
    delivered: int


@dataclass(frozen=True, slots=True)
class BroadcastsPage:
    """The history."""

    template: ClassVar[str] = "broadcasts/index.html"
    name: ClassVar[str] = "history"
    rows: tuple[BroadcastRow, ...]
    choices: tuple[Option, ...]
    can_act: bool
    older_url: str


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
    """What became of one recipient; the page and the stream render it from the same file."""

    template: ClassVar[str] = "broadcasts/_recipient.html"
    name: ClassVar[str] = "outcome"
    session_id: str
    client: str
    """Empty once it has ended."""
    url: str
    status: str
    label: str
    at: float
    reason: str
    event_url: str
    seq: int | None


@dataclass(frozen=True, slots=True)
class Stop:
    """The button that stops sending; empty once everything was tried."""

    template: ClassVar[str] = "broadcasts/_stop.html"
    name: ClassVar[str] = "halt"
    url: str


@dataclass(frozen=True, slots=True)
class BroadcastPage:
    """One broadcast."""

    template: ClassVar[str] = "broadcasts/show.html"
    name: ClassVar[str] = "bulletin"
    id: str
    at: float
    actor: str
    sender_url: str
    """Of the session that sent it with a tool."""
    group: str
    kind: str
    level: str
    """Empty for a list-changed notification, like the next two."""
    logger: str
    text: str
    is_json: bool
    is_trial: bool
    audience: str
    is_queued: bool
    expires_at: float
    halt: Stop
    receipt: ReceiptHead
    rows: tuple[ReceiptRow, ...]
    shown: str
    """Label of the status the rows are restricted to, or empty."""
    pager: Pager
    live_link: LiveLink


def audience_words(broadcast: Broadcast) -> str:
    """Return whom a broadcast was meant for."""
    words = broadcast.filter or ("one session" if broadcast.is_trial else "every live session and client")
    return f"{words}, without {broadcast.exclude}" if broadcast.exclude else words


def make_rows(broadcasts: Iterable[Broadcast], urls: Urls) -> tuple[BroadcastRow, ...]:
    """Return rows of the history in the order given."""
    return tuple(
        BroadcastRow(
            url=urls.broadcast(each.id),
            at=each.created_at,
            actor=each.actor,
            kind=f"Log message, {each.level}" if each.method == LOG_MESSAGE else "List changed",
            text=each.text or METHOD_LABELS.get(each.method, each.method),
            audience=audience_words(each),
            status=each.status,
            is_trial=each.is_trial,
            total=each.audience,
            segments=_segments(each),
            delivered=each.counts.get(DeliveryStatus.DELIVERED, 0),
        )
        for each in broadcasts
    )


def make_history(
    broadcasts: Iterable[Broadcast], urls: Urls, *, can_act: bool, older_url: str, choices: Sequence[Option]
) -> BroadcastsPage:
    """Return the history, newest first."""
    return BroadcastsPage(make_rows(broadcasts, urls), tuple(choices), can_act, older_url)


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
    return tuple(_row(receipt, urls) for receipt in receipts)


def _row(receipt: Receipt, urls: Urls) -> ReceiptRow:
    return ReceiptRow(
        session_id=receipt.session_id,
        client=receipt.client,
        url=urls.session(receipt.session_id),
        status=receipt.status.value,
        label=RECEIPT_LABELS[receipt.status.value][0],
        at=receipt.at,
        reason=receipt.reason or "",
        event_url=urls.session(receipt.session_id, "events", sel=receipt.seq) if receipt.seq else "",
        seq=receipt.seq,
    )


def make_stop(broadcast: Broadcast, urls: Urls, *, can_act: bool) -> Stop:
    """Return the button that stops sending, or nothing in its place."""
    return Stop(urls.broadcast_stop(broadcast.id) if can_act and broadcast.status == "sending" else "")


def make_page(
    broadcast: Broadcast,
    urls: Urls,
    status: str,
    *,
    can_act: bool,
    rows: tuple[ReceiptRow, ...],
    pager: Pager,
    live_link: LiveLink,
) -> BroadcastPage:
    """Return the page of one broadcast."""
    is_message = broadcast.method == LOG_MESSAGE
    return BroadcastPage(
        id=broadcast.id,
        at=broadcast.created_at,
        actor=broadcast.actor,
        sender_url=urls.session(broadcast.sender) if broadcast.sender else "",
        group=broadcast.group,
        kind=METHOD_LABELS.get(broadcast.method, broadcast.method),
        level=broadcast.level if is_message else "",
        logger=broadcast.logger if is_message else "",
        text=broadcast.text if is_message else broadcast.method,
        is_json=broadcast.is_json,
        is_trial=broadcast.is_trial,
        audience=audience_words(broadcast),
        is_queued=broadcast.is_queued,
        expires_at=broadcast.expires_at,
        halt=make_stop(broadcast, urls, can_act=can_act),
        receipt=make_receipt(broadcast, urls, status),
        rows=rows,
        shown=RECEIPT_LABELS[status][0] if status else "",
        pager=pager,
        live_link=live_link,
    )


def _segments(broadcast: Broadcast) -> tuple[Segment, ...]:
    shown = {key: broadcast.counts.get(key, 0) for key in RECEIPT_LABELS if key != "pending"}
    return divide(shown, out_of=broadcast.audience)
