"""The replay dialog: which events, onto which stream, what MCP allows of it, and what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

from ..server.attach import Switchroom
from ..server.errors import InvalidInput, SwitchroomError
from ..server.models import STANDALONE_STREAM, Session
from ..server.operations.results import ReplayItem, ReplayPlan, ReplayResult
from .contexts.dialogs import ReplayDone, ReplayedItem, ReplayForm, ReplayOutlook, ReplayReason, ReplayTarget
from .contexts.sessions import client_name
from .formatting import plural, size
from .urls import Urls

_SHOWN: Final = 100
_BACK: Final = 50
"""Events before the newest that a dialog opened without a choice begins at."""
FIELDS: Final[tuple[str, ...]] = ("choice", "seq", "from_seq", "range_from", "range_to", "stream")


def selection(values: Mapping[str, str]) -> dict[str, Any]:
    """Return the one selection, and the stream, that the form's fields stand for.

    Raises:
        InvalidInput: A number is missing or is none.
    """
    choice, stream = values.get("choice"), values.get("stream", "")
    chosen: dict[str, Any] = {"stream": _number(stream) if stream else STANDALONE_STREAM}
    if choice == "one":
        return {**chosen, "seqs": [_number(values.get("seq", ""))]}
    if choice == "from":
        return {**chosen, "from_seq": _number(values.get("from_seq", ""))}
    if choice == "range":
        start, end = _number(values.get("range_from", "")), _number(values.get("range_to", ""))
        return {**chosen, "from_seq": start, "to_seq": end}
    raise InvalidInput("Choose which events to replay.")


def _number(text: str) -> int:
    digits = text.strip().replace(",", "")
    if not (digits.isascii() and digits.isdigit()):
        raise InvalidInput("Give the event's number in digits, as the log shows it.")
    return int(digits)


async def replay_form(
    room: Switchroom, urls: Urls, session: Session, given: Mapping[str, str], *, error: str = ""
) -> ReplayForm:
    """Return the dialog with what would come of its present choice; `given` are its fields as far as they are set."""
    values = _filled(session, given)
    return ReplayForm(
        action=urls.replays(session.id),
        client=client_name(session),
        choice=values["choice"],
        seq=values["seq"],
        from_seq=values["from_seq"],
        range_from=values["range_from"],
        range_to=values["range_to"],
        last_seq=session.event_count,
        targets=_targets(room, session, values["stream"]),
        outlook=await _outlook(room, session, values),
        error=error,
    )


def _filled(session: Session, given: Mapping[str, str]) -> dict[str, str]:
    last, seq = session.event_count, given.get("seq", "")
    begin = seq if seq.isdigit() else str(max(session.trimmed_seq + 1, last - _BACK))
    usual = {
        "choice": "from",
        "seq": seq or str(last),
        "from_seq": begin,
        "range_from": begin,
        "range_to": str(last),
        "stream": str(STANDALONE_STREAM),
    }
    return {name: given.get(name) or usual[name] for name in FIELDS}


def _targets(room: Switchroom, session: Session, chosen: str) -> tuple[ReplayTarget, ...]:
    streams = room.directory.streams(session.id)
    is_open = any(stream.stream == STANDALONE_STREAM for stream in streams)
    minutes = plural(round(room.settings.queue_seconds / 60) or 1, "minute")
    hint = "open: sent at once" if is_open else f"not open: they wait up to {minutes} for its next connection"
    found = [ReplayTarget(STANDALONE_STREAM, "GET stream", hint, chosen == str(STANDALONE_STREAM))]
    for stream in streams:
        if stream.stream != STANDALONE_STREAM and stream.kind in ("post", "get"):
            label = f"Stream of event {stream.stream} {stream.method or ''}".strip()
            found.append(
                ReplayTarget(
                    stream.stream, label, "only messages of that very call may go there", chosen == str(stream.stream)
                )
            )
    return tuple(found)


async def _outlook(room: Switchroom, session: Session, values: Mapping[str, str]) -> ReplayOutlook:
    try:
        plan = await room.operations.plan_replay(session.id, **selection(values))
    except SwitchroomError as error:
        return ReplayOutlook(0, 0, "", (), (), 0, error.message)
    return make_outlook(plan)


def make_outlook(plan: ReplayPlan) -> ReplayOutlook:
    """Return what a plan comes to."""
    items, more = _listed(plan.items)
    return ReplayOutlook(
        len(plan.items), plan.sendable, size(plan.size_bytes), _excuses(plan.items), items, more, error=""
    )


def make_done(result: ReplayResult, back: str) -> ReplayDone:
    """Return the result, event by event."""
    items, more = _listed(result.items)
    return ReplayDone(back, result.delivered, result.queued, result.skipped, _excuses(result.items), items, more)


def _listed(items: list[ReplayItem]) -> tuple[tuple[ReplayedItem, ...], int]:
    rows = tuple(
        ReplayedItem(item.seq, item.method or "", item.new_seq, item.status, item.reason) for item in items[:_SHOWN]
    )
    return rows, len(items) - len(rows)


def _excuses(items: Iterable[ReplayItem]) -> tuple[ReplayReason, ...]:
    reasons = Counter(item.reason for item in items if item.status == "skipped")
    return tuple(ReplayReason(number, why) for why, number in reasons.most_common())
