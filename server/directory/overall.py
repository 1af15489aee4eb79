"""Everything at once: how the process is, what is in flight, what needs somebody."""

from __future__ import annotations

import importlib.metadata
import time
from collections import Counter

from ..engine.engine import Engine
from ..engine.meter import Totals
from ..engine.rates import RateMeter
from ..engine.vitals import memory_bytes
from ..models import SessionState
from .figures import FlyingCall, Health
from .reads import Reads
from .trends import Range, Trending, Trends
from .watching import LimitState, Vitals, limit_states, vitals

_SHARED_SECONDS = 1.0
_SHARED_ABOVE = 500
"""Above this number of sessions an answer that walks over all of them is shared for a second."""


class OverallReads(Reads):
    """Reads over all sessions; what costs much is answered alike for a moment."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._trending = Trending(engine.meter)
        self._rate = RateMeter(lambda: engine.meter.totals.answers)
        self._versions = (importlib.metadata.version("switchroom"), importlib.metadata.version("mcp"))
        self._health: tuple[float, Health] | None = None
        self._limits: tuple[float, tuple[LimitState, ...]] | None = None

    def health(self) -> Health:
        """Return the state of the process and its store."""
        now = time.monotonic()
        if self._health is not None and self._is_fresh(self._health[0], now):
            return self._health[1]._replace(store=self._engine.store.health())
        found = self._read_health()
        self._health = (now, found)
        return found

    def limits(self) -> tuple[LimitState, ...]:
        """Return every limit in force, how near somebody is to it, and how often it was reached."""
        now = time.monotonic()
        if self._limits is not None and self._is_fresh(self._limits[0], now):
            return self._limits[1]
        found = limit_states(self._engine)
        self._limits = (now, found)
        return found

    def totals(self) -> Totals:
        """Return what was answered since the start."""
        return self._engine.meter.totals

    def trimmed_logs(self) -> int:
        """Return how many live sessions have reached a bound of their log and dropped their oldest events."""
        return sum(1 for session in self._engine.live() if session.record.trimmed_seq)

    def vitals(self) -> Vitals:
        """Return memory, loop lag, and the streams that ended badly or look alive and are not."""
        return vitals(self._engine, memory_bytes())

    def calls(self) -> list[FlyingCall]:
        """Return every request that is not answered yet, of both eras, oldest first."""
        found = [
            FlyingCall(self._engine.describe(session), call.describe())
            for session in list(self._engine.by_id.values())
            if session.calls
            for call in session.calls.values()
        ]
        return sorted(found, key=lambda each: each.call.started_at)

    def trends(self, wanted: Range) -> Trends:
        """Return what the charts of a range show; the same object for a few seconds."""
        return self._trending.of(wanted)

    def _is_fresh(self, at: float, now: float) -> bool:
        return now - at < _SHARED_SECONDS and len(self._engine.by_id) > _SHARED_ABOVE

    def _read_health(self) -> Health:
        engine = self._engine
        live = list(engine.live())
        everything = [*live, *engine.live(clients=True)]
        states = Counter(session.record.state for session in live)
        version, mcp_version = self._versions
        return Health(
            store=engine.store.health(),
            live_sessions=len(live),
            states={state: states.get(state, 0) for state in SessionState if state.is_live},
            hibernated=sum(1 for s in live if s.resident is None),
            clients=len(everything) - len(live),
            in_flight=sum(s.in_flight for s in everything),
            open_streams=sum(s.open_streams for s in everything),
            requests_per_second=self._rate.per_second(),
            started_at=engine.started_at,
            worker_id=engine.worker_id,
            version=version,
            mcp_version=mcp_version,
        )
