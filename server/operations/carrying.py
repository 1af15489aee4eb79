"""Brings what the command line did to the accounts into the audit log of the server that runs."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from typing import Final

from ..accounts import Accounts
from ..errors import SwitchroomError
from ..models import Actor, Role
from .actions import Actions

logger = logging.getLogger(__name__)

CARRY_SECONDS: Final = 2.0
"""How often the accounts file is looked at; one read of a table that is nearly always empty."""


class Carrier:
    """Runs until cancelled. Should the process end between writing and forgetting, an entry is there twice."""

    def __init__(self, accounts: Accounts, actions: Actions) -> None:
        self._accounts = accounts
        self._actions = actions
        self._is_failing = False

    async def run(self) -> None:
        """Carry what waits, again and again."""
        while True:
            try:
                await self.carry()
                self._is_failing = False
            except SwitchroomError as error:
                if not self._is_failing:
                    logger.warning("what the command line changed is not in the audit log yet: %s", error.message)
                self._is_failing = True
            except Exception:
                logger.exception("what the command line changed could not be carried into the audit log")
            await asyncio.sleep(CARRY_SECONDS)

    async def carry(self) -> None:
        """Write every entry that waits to the audit log, then forget it.

        Raises:
            StoreUnavailable: The accounts file did not answer.
        """
        for note in await self._accounts.notes.ready():
            actor = Actor(f"command line ({note.actor})", Role.ADMIN, "command")
            at = datetime.fromtimestamp(note.at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
            await self._actions.note(actor, note.action, note.target, note.outcome, {"at": at, **note.detail})
            await self._accounts.notes.drop(note.id)
