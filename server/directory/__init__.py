"""Reading: the one gateway of pages, API, command line and live frames to what is going on."""

from __future__ import annotations

from ..engine.diagnosis import Diagnosis
from ..engine.refusals import Refusal, Verdict
from .directory import Directory
from .figures import Audience, FlyingCall, Health
from .trends import RANGES, Range, Trends, range_named

__all__ = [
    "RANGES",
    "Audience",
    "Diagnosis",
    "Directory",
    "FlyingCall",
    "Health",
    "Range",
    "Refusal",
    "Trends",
    "Verdict",
    "range_named",
]
