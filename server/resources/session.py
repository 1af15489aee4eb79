"""`SessionResources`, which tools inject: what they open is closed when the caller's session ends."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from pathlib import Path
from typing import Any, TypeVar

from mcp.server.mcpserver import Context

from ..current import CurrentCall
from ..data.calling import calling_session
from ..data.telling import told
from ..data.values import shortened
from ..errors import NotFound
from ..models import HeldResource
from .registry import ResourceRegistry

T = TypeVar("T")

_FOLDER = "session folder"


class SessionResources:
    """What one session holds open. Its errors are `ToolError`s as well: uncaught, they tell the client what to do."""

    def __init__(self, current: CurrentCall) -> None:
        self._session = current.session
        with told():
            self._registry = current.engine.services.get(ResourceRegistry)

    @property
    def session_id(self) -> str:
        """The session's public reference, as the console shows it. Not a secret."""
        return self._session.record.id

    def register(self, resource: T, *, name: str = "", owned: bool = True) -> T:
        """Have a resource closed with the session, and return it.

        It is closed by `aclose`, `close`, `__aexit__` or `__exit__`, the first that it has, on the event loop.

        Args:
            name: What the console and the log call it; by default its type and a number.
            owned: `False` when something else owns it: it is referred to weakly, so it leaves the list when its
                owner lets go of it, and it is closed with the session only if it is still there.

        Raises:
            InvalidInput: It cannot be closed, or not referred to weakly.
            AlreadyEnded: The session has ended meanwhile; the resource is yours to close.
            LimitReached: The session holds as much as it may.
        """
        with told():
            self._registry.add(self._session, name=name, resource=resource, is_owned=owned)
        return resource

    def on_end(self, callback: Callable[[], object], *, name: str = "") -> HeldResource:
        """Have a function called when the session ends; one that is `async` is awaited.

        Raises:
            AlreadyEnded, LimitReached: As for `register`.
        """
        with told():
            return self._registry.add(self._session, name=name, callback=callback)

    async def enter(self, manager: AbstractAsyncContextManager[T] | AbstractContextManager[T], *, name: str = "") -> T:
        """Enter a context manager, have it left when the session ends, and return what it gives."""
        if isinstance(manager, AbstractAsyncContextManager):
            value = await manager.__aenter__()
            leave: Callable[[], object] = lambda: manager.__aexit__(None, None, None)  # noqa: E731
        else:
            value = manager.__enter__()
            leave = lambda: manager.__exit__(None, None, None)  # noqa: E731
        try:
            self.on_end(leave, name=name or _named(manager))
        except BaseException:
            outcome: Any = leave()
            if outcome is not None and hasattr(outcome, "__await__"):
                await outcome
            raise
        return value

    def folder(self) -> Path:
        """Return a folder of the session's own, which is removed with everything in it when the session ends.

        Raises:
            Unsupported: Nothing can be written where folders are kept.
            AlreadyEnded, LimitReached: As for `register`.
        """
        with told():
            folder = self._registry.folders.make(self.session_id)
            if not any(held.name == _FOLDER for held in self.held()):
                folders = self._registry.folders
                self._registry.add(self._session, name=_FOLDER, callback=lambda: folders.remove(folder))
        return folder

    def held(self) -> list[HeldResource]:
        """Return what the session holds, in the order it was opened."""
        return self._registry.held(self.session_id)

    async def close(self, name: str) -> str:
        """Close a resource now, by its name; return what went wrong, `""` when nothing did.

        Raises:
            NotFound: The session holds none of that name.
        """
        with told():
            for held in self.held():
                if held.name == name:
                    return await self._registry.close(self._session, held.id, "closed by a tool") or ""
            raise NotFound(f"This session holds no resource {shortened(name)}.")


def _named(manager: object) -> str:
    """Return what a context manager is called: one made of a generator by the function that it was made of."""
    made_of: object = getattr(manager, "gen", None)
    return str(getattr(made_of, "__name__", "")) or type(manager).__name__


def session_resources(ctx: Context) -> SessionResources:
    """Return the resources of the running call's session; for `Resolve`.

    Raises:
        ToolError: The server is not attached to Switchroom, or a call of the newer era has no valid handle.
    """
    return SessionResources(calling_session(ctx, "Resources of a session"))
