"""Everything that sessions hold open, closed when they end: in reverse order, within a bound, whatever fails."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import time
import weakref
from collections.abc import Callable
from typing import Any

from ..engine.calls import is_cancelled_from_outside
from ..engine.engine import Engine
from ..engine.session import LiveSession
from ..errors import AlreadyEnded, InvalidInput, LimitReached
from ..models import EventKind, HeldResource
from .closing import Closer, closer_of, run
from .folders import Folders

logger = logging.getLogger(__name__)

_TOTAL_SECONDS = 10.0
"""What all resources of one session may take together; those after that are still closed, but not waited for long."""

_LEAST_SECONDS = 0.05


class _Entry:
    """One resource and how it is closed."""

    __slots__ = ("close", "held", "reference")

    def __init__(self, held: HeldResource, close: Closer | None, reference: weakref.ref[Any] | None) -> None:
        self.held = held
        self.close = close
        self.reference = reference

    def closer(self) -> Closer | None:
        """Return how to close it; `None` when its owner has let go of it."""
        if self.reference is None:
            return self.close
        resource = self.reference()
        return closer_of(resource) if resource is not None else None


class ResourceRegistry:
    """What is open, by session. Hibernation leaves it alone: only the end of a session closes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._numbers = itertools.count(1)
        self._entries: dict[str, dict[int, _Entry]] = {}
        self.folders = Folders(engine.settings.resources_dir)
        engine.on_end.append(self.close_all)

    def held(self, session_id: str) -> list[HeldResource]:
        """Return what a session holds, in the order it was opened."""
        return [entry.held for entry in self._entries.get(session_id, {}).values()]

    def count(self) -> int:
        """Return how much is open in all."""
        return sum(len(entries) for entries in self._entries.values())

    def add(
        self,
        session: LiveSession,
        *,
        name: str,
        resource: Any = None,
        callback: Closer | None = None,
        is_owned: bool = True,
    ) -> HeldResource:
        """Note something to be closed with its session: a resource, or a callback that closes it.

        Raises:
            InvalidInput: It cannot be closed, cannot be referred to weakly, or the name cannot be shown.
            AlreadyEnded: The session has ended; what was opened is the caller's to close.
            LimitReached: The session holds as much as it may.
        """
        self._check(session, name)
        session_id, number = session.record.id, next(self._numbers)
        kind = "callback" if resource is None else type(resource).__name__
        held = HeldResource(number, name or f"{kind} {number}", kind, time.time(), is_owned)
        if is_owned:
            entry = _Entry(held, callback or closer_of(resource), None)
        else:
            closer_of(resource)
            entry = _Entry(held, None, _weak(resource, lambda _: self._drop(session_id, number)))
        self._entries.setdefault(session_id, {})[number] = entry
        self._note(session, "resource_opened", held)
        return held

    def _check(self, session: LiveSession, name: str) -> None:
        if name and (len(name) > 200 or not name.isprintable()):
            raise InvalidInput("A resource's name has at most 200 printable characters.")
        if session.early_end is not None:
            raise AlreadyEnded(f"Session {session.record.id} has ended: close what you have opened for it.")
        limit = self._engine.settings.max_resources
        if len(self._entries.get(session.record.id, ())) >= limit:
            raise LimitReached(f"This session holds {limit} resources, which is as many as it may: close some first.")

    def _drop(self, session_id: str, number: int) -> _Entry | None:
        entries = self._entries.get(session_id)
        if entries is None:
            return None
        entry = entries.pop(number, None)
        if not entries:
            del self._entries[session_id]
        return entry

    # -- closing -------------------------------------------------------------------------------

    async def close(self, session: LiveSession, number: int, cause: str, *, by: str | None = None) -> str | None:
        """Close one resource now; return what went wrong, `""` when nothing did, `None` when it is not held."""
        entry = self._drop(session.record.id, number)
        if entry is None:
            return None
        return await self._close(session, entry, self._engine.settings.resource_close_seconds, cause, by)

    async def close_all(self, session: LiveSession, cause: str = "its session ended") -> None:
        """Close everything a session holds, the newest first. What fails is logged, and the rest is closed too."""
        deadline = time.monotonic() + _TOTAL_SECONDS
        while entries := self._entries.get(session.record.id):
            entry = self._drop(session.record.id, next(reversed(entries)))
            assert entry is not None
            left = min(self._engine.settings.resource_close_seconds, deadline - time.monotonic())
            await self._close(session, entry, max(_LEAST_SECONDS, left), cause, None)

    async def stop(self) -> None:
        """Close everything of every session, and remove this process's folder: nothing open outlives the process."""
        live = [self._engine.by_id[session_id] for session_id in self._entries if session_id in self._engine.by_id]
        await asyncio.gather(*(self.close_all(session, "the server stopped") for session in live))
        await self.folders.stop()

    async def _close(self, session: LiveSession, entry: _Entry, within: float, cause: str, by: str | None) -> str:
        closer, problem = entry.closer(), ""
        if closer is None:
            return ""
        try:
            async with asyncio.timeout(within):
                await run(closer)
        except TimeoutError as error:
            problem = f"not closed within {within:g} s" if not str(error) else str(error)
        except BaseException as error:
            # Somebody else's code: a `SystemExit` here would take every session with it.
            if isinstance(error, asyncio.CancelledError) and is_cancelled_from_outside():
                raise
            problem = f"{type(error).__name__}: {error}"
        if problem:
            logger.warning("resource %r of session %s: %s", entry.held.name, session.record.id, problem)
        self._note(session, "resource_closed", entry.held, cause=cause, by=by, error=problem)
        return problem

    def _note(self, session: LiveSession, change: str, held: HeldResource, **detail: str | None) -> None:
        said = {name: value for name, value in detail.items() if value}
        payload = {"resource": held.name, "id": held.id, "kind": held.kind, **said}
        session.note(EventKind.LIFECYCLE, change, json.dumps(payload))


def _weak(resource: Any, gone: Callable[[weakref.ref[Any]], object]) -> weakref.ref[Any]:
    try:
        return weakref.ref(resource, gone)
    except TypeError:
        raise InvalidInput(
            f"A {type(resource).__name__} cannot be referred to weakly: let the session own it, or give a callback."
        ) from None
