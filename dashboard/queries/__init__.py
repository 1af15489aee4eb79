"""From a query string to a bounded question: which sessions, which events, in what order, how many."""

from __future__ import annotations

from .events import EVENTS_SHOWN, LogQuery, Look, ServerEventsQuery, WantedEvents, WantedServerEvents
from .sessions import DEFAULT_SIZE, DEFAULT_SORT, SessionQuery, WantedSessions
from .times import Times, parse_time

__all__ = [
    "DEFAULT_SIZE",
    "DEFAULT_SORT",
    "EVENTS_SHOWN",
    "LogQuery",
    "Look",
    "ServerEventsQuery",
    "SessionQuery",
    "Times",
    "WantedEvents",
    "WantedServerEvents",
    "WantedSessions",
    "parse_time",
]
