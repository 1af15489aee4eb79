"""Retention by age, and the removal of what has ended: in small pieces, between the writer's batches.

A piece is bounded by rows, so an append never waits for more than one of them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from ..base import Retention
from .logs import LogEnds
from .queue import WriteQueue
from .statements import read_statements

_PIECE = 1_000
"""Rows removed in one transaction: some 10 ms."""
_FREE_PAGES = 256
"""Pages given back to the file system in one transaction."""

_ALL = 2**63 - 1

_PAYLOADS_UPTO = "payloads_dropped_upto"
"""The last row whose payload was dropped, in the table `meta`."""
_STREAMS_UPTO = "streams_dropped_upto"
"""The last row that was looked at for the age of its stream."""

Piece = Callable[[sqlite3.Connection, float], int]


class Sweep:
    """Removes what retention no longer keeps."""

    def __init__(
        self,
        queue: WriteQueue,
        ends: LogEnds,
        retention: Retention,
        note_highest_no: Callable[[sqlite3.Connection], None],
    ) -> None:
        self._queue = queue
        self._ends = ends
        self._retention = retention
        self._note_highest_no = note_highest_no
        self._log = read_statements("log")
        self._session = read_statements("session")
        self._kv = read_statements("kv")
        self._broadcast = read_statements("broadcast")
        self._figures = read_statements("figures")
        self._audit = read_statements("audit")

    async def run(self, now: float) -> int:
        """Remove everything that is over at `now` and return how many rows that were.

        Raises:
            StoreUnavailable: A piece failed; the pieces before it hold.
        """
        removed = 0
        pieces = (
            self._old_events,
            self._old_of_streams,
            self._old_payloads,
            self._ended_sessions,
            self._old_ids,
            self._old_broadcasts,
            self._old_figures,
            self._old_results,
        )
        for piece in pieces:
            while count := await self._piece(piece, now):
                removed += count
        while await self._queue.maintain(_give_back_pages):
            pass
        return removed

    async def _piece(self, piece: Piece, now: float) -> int:
        return await self._queue.maintain(lambda connection: piece(connection, now))

    def _old_events(self, connection: sqlite3.Connection, now: float) -> int:
        """Drop a prefix of all events. The clock may have been set back, so it ends at the first young one."""
        before = now - self._retention.max_age_seconds
        newest: dict[int, int] = {}
        count = last_id = 0
        for row_id, session_no, seq, at in connection.execute(self._log["first_rows"], {"limit": _PIECE}):
            if at > before:
                break
            newest[session_no] = seq
            last_id = row_id
            count += 1
        if count:
            connection.execute(self._log["drop_rows"], (last_id,))
        for session_no, seq in newest.items():
            connection.execute(self._log["note_trimmed"], {"session": session_no, "seq": seq})
            connection.execute(self._log["forget_stream_trimmed"], (session_no, seq))
            self._ends.forget(session_no)
        return count

    def _old_of_streams(self, connection: sqlite3.Connection, now: float) -> int:
        """Drop what was sent on streams long enough ago; each row is looked at once."""
        seconds = self._retention.max_stream_age_seconds
        if seconds is None or (rows := self._next_rows(connection, _STREAMS_UPTO, now - seconds)) is None:
            return 0
        after, upto = rows
        newest: dict[tuple[int, int], int] = {}
        dropped = connection.execute(self._log["drop_old_of_streams"], {"after": after, "upto": upto, "now": now})
        for session_no, stream, seq in dropped.fetchall():
            newest[session_no, stream] = max(seq, newest.get((session_no, stream), 0))
        for (session_no, stream), seq in newest.items():
            connection.execute(self._log["note_stream_trimmed"], (session_no, stream, seq))
            self._ends.forget(session_no)
        return upto - after

    def _old_payloads(self, connection: sqlite3.Connection, now: float) -> int:
        """Take the payloads from what was sent long enough ago; each row is looked at once."""
        seconds = self._retention.payload_seconds
        if seconds is None or (rows := self._next_rows(connection, _PAYLOADS_UPTO, now - seconds)) is None:
            return 0
        after, upto = rows
        connection.execute(self._log["drop_payloads"], {"after": after, "upto": upto, "now": now})
        return upto - after

    def _next_rows(self, connection: sqlite3.Connection, mark: str, before: float) -> tuple[int, int] | None:
        """Return the rows from before a time that come next, and move the mark in `meta` behind them."""
        row = connection.execute(self._session["get_meta"], (mark,)).fetchone()
        after = upto = int(row[0]) if row is not None else 0
        for row_id, at in connection.execute(self._log["ids_and_times"], {"after": after, "limit": _PIECE}):
            if at > before:
                break
            upto = row_id
        if upto == after:
            return None
        connection.execute(self._session["set_meta"], (mark, upto))
        return after, upto

    def _ended_sessions(self, connection: sqlite3.Connection, now: float) -> int:
        """Remove ended sessions with their logs and keys; a long log takes several pieces."""
        bounds = {
            "ended_before": now - self._retention.ended_session_seconds,
            "rejected_before": now - self._retention.rejected_session_seconds,
            "limit": _PIECE,
        }
        removed = 0
        for (session_no,) in connection.execute(self._session["over"], bounds).fetchall():
            if removed >= _PIECE:
                break
            removed += self._drop_session(connection, session_no)
        if removed:
            self._note_highest_no(connection)
        return removed

    def _drop_session(self, connection: sqlite3.Connection, session_no: int) -> int:
        some = {"session": session_no, "limit": _PIECE}
        removed = connection.execute(self._log["drop_some"], some).rowcount
        self._ends.forget(session_no)
        if removed == _PIECE:
            return removed
        connection.execute(self._log["forget_stream_trimmed"], (session_no, _ALL))
        removed += connection.execute(self._kv["clear"], {"session": session_no}).rowcount
        connection.execute(self._session["remember"], (session_no,))
        return removed + connection.execute(self._session["drop"], (session_no,)).rowcount

    def _old_ids(self, connection: sqlite3.Connection, now: float) -> int:
        old = {"before": now - self._retention.ended_id_seconds, "limit": _PIECE}
        removed = connection.execute(self._session["forget_old"], old).rowcount
        surplus = {"kept": self._retention.max_ended_ids, "limit": _PIECE}
        return removed + connection.execute(self._session["forget_surplus"], surplus).rowcount

    def _old_broadcasts(self, connection: sqlite3.Connection, now: float) -> int:
        before = now - self._retention.broadcast_seconds
        row = connection.execute(self._broadcast["old"], {"before": before}).fetchone()
        if row is None:
            return 0
        some = {"broadcast": row[0], "limit": _PIECE}
        removed = connection.execute(self._broadcast["drop_receipts"], some).rowcount
        if removed == _PIECE:
            return removed
        connection.execute(self._broadcast["drop_counts"], row)
        return removed + connection.execute(self._broadcast["drop"], row).rowcount

    def _old_figures(self, connection: sqlite3.Connection, now: float) -> int:
        old = {"before": now - self._retention.figures_seconds, "limit": _PIECE}
        return connection.execute(self._figures["drop_old"], old).rowcount

    def _old_results(self, connection: sqlite3.Connection, now: float) -> int:
        old = {"before": now - self._retention.broadcast_seconds, "limit": _PIECE}
        return connection.execute(self._audit["drop_old_results"], old).rowcount


def _give_back_pages(connection: sqlite3.Connection) -> bool:
    """Give some free pages back; true while more than a quarter of the file is free."""
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    if free * 4 <= pages or free <= _FREE_PAGES:
        return False
    # Each step moves one page, so the statement has to be stepped to its end.
    connection.execute(f"PRAGMA incremental_vacuum({_FREE_PAGES})").fetchall()
    return True
