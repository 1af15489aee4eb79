"""Reading: the one gateway of pages, API, command line and live frames to what is going on."""

from __future__ import annotations

from ..engine.diagnosis import Diagnosis
from ..engine.limits import Limit
from ..engine.refusals import Refusal, Verdict
from ..engine.streamwatch import StreamCut
from .directory import Directory
from .failures import ERRORS_READ, read_failure
from .figures import FlyingCall, Health
from .tally import Tally
from .trends import RANGES, Range, Trends, range_named
from .watching import LimitState, MemoryTrend, StalledStream, Vitals

__all__ = [
    "ERRORS_READ",
    "RANGES",
    "Diagnosis",
    "Directory",
    "FlyingCall",
    "Health",
    "Limit",
    "LimitState",
    "MemoryTrend",
    "Range",
    "Refusal",
    "StalledStream",
    "StreamCut",
    "Tally",
    "Trends",
    "Verdict",
    "Vitals",
    "range_named",
    "read_failure",
]
