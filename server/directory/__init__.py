"""Reading: the one gateway of pages, API, command line and live frames to what is going on."""

from __future__ import annotations

from ..engine.diagnosis import Diagnosis
from ..engine.refusals import Refusal, Verdict
from .directory import Directory
from .figures import Audience, Health

__all__ = ["Audience", "Diagnosis", "Directory", "Health", "Refusal", "Verdict"]
