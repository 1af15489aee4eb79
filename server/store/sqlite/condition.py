"""How writing goes: what the last commits took, and since when and why they fail."""

from __future__ import annotations

import logging
import time

from .faults import trouble

logger = logging.getLogger(__name__)


class Condition:
    """Noted by whoever commits; may be read from any thread."""

    def __init__(self) -> None:
        self.failing_since: float | None = None
        """Monotonic time of the first failure since the last success."""
        self.last_error = ""
        self.trouble = ""
        """Why the last commit failed, in a word or two; empty while commits succeed."""
        self.damage = ""
        """What to do about a damaged file, once a write has met the damage; empty when none has lately."""
        self.last_commit_ms = 0.0
        self.failed_commits = 0
        self.commits = 0
        self.commit_seconds = 0.0

    def committed(self, started: float) -> float:
        """Note a commit that began at a monotonic time, and return the seconds it took."""
        took = time.monotonic() - started
        self.commits += 1
        self.last_commit_ms = took * 1000
        self.commit_seconds += took
        return took

    def failed(self, error: Exception) -> None:
        """Note a commit that is tried again."""
        self.trouble = trouble(error)
        if self._note(error):
            logger.error("the store cannot write: %s; writes are kept and tried again", error)

    def found_damage(self, error: Exception, advice: str) -> None:
        """Note a commit that met damage in the file."""
        self.damage, self.trouble = advice, "damaged"
        if self._note(error):
            logger.error("%s", advice)

    def healed(self) -> None:
        """Note that a commit by the thread succeeded."""
        if self.failing_since is not None:
            logger.warning("the store writes again after %.1f s", time.monotonic() - self.failing_since)
            self.failing_since = None
            self.damage = self.trouble = ""

    def _note(self, error: Exception) -> bool:
        """Count a failure and return whether it is the first since the last success."""
        self.failed_commits += 1
        self.last_error = str(error)
        if self.failing_since is not None:
            return False
        self.failing_since = time.monotonic()
        return True
