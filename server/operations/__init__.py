"""What operators do: expire, cancel, replay, broadcast, edit keys, close streams."""

from __future__ import annotations

from .accounts import AccountVerbs, OperatorAdded
from .actions import Resolver
from .bulk import JOB_ABOVE, Job
from .operations import Operations
from .results import CancelResult, ExpireResult, ReplayItem, ReplayResult, TimeoutsResult
from .sessions import Chosen, expire_result
from .unfinished import PastJob

__all__ = [
    "JOB_ABOVE",
    "AccountVerbs",
    "CancelResult",
    "Chosen",
    "ExpireResult",
    "Job",
    "Operations",
    "OperatorAdded",
    "PastJob",
    "ReplayItem",
    "ReplayResult",
    "Resolver",
    "TimeoutsResult",
    "expire_result",
]
