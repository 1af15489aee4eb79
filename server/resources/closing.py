"""How to close whatever a tool has opened."""

from __future__ import annotations

import inspect
from collections.abc import Callable

from ..errors import InvalidInput

Closer = Callable[[], object]
"""Closes; what it returns is awaited where it can be."""


def closer_of(resource: object) -> Closer:
    """Return how to close an object: by `aclose`, `close`, `__aexit__` or `__exit__`, the first that it has.

    Raises:
        InvalidInput: It has none of them.
    """
    for name in ("aclose", "close"):
        close: Closer | None = getattr(resource, name, None)
        if callable(close):
            return close
    for name in ("__aexit__", "__exit__"):
        method = getattr(type(resource), name, None)
        if callable(method):
            return lambda: method(resource, None, None, None)
    raise InvalidInput(
        f"A {type(resource).__name__} has neither aclose, close, __aexit__ nor __exit__: give a callback instead."
    )


async def run(closer: Closer) -> None:
    """Call a closer on the loop, where what it closes was opened, and wait for it."""
    outcome = closer()
    if inspect.isawaitable(outcome):
        await outcome
