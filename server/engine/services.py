"""What `attach` gives tools beside the engine, found by type: the engine knows none of it."""

from __future__ import annotations

from typing import Any, TypeVar, cast

from ..errors import Unsupported

T = TypeVar("T")


class Services:
    """One object of each type."""

    def __init__(self) -> None:
        self._found: dict[type[Any], object] = {}

    def add(self, service: object) -> None:
        """Offer an object under its own type."""
        self._found[type(service)] = service

    def get(self, kind: type[T]) -> T:
        """Return the object of that type.

        Raises:
            Unsupported: This engine was put together without it.
        """
        service = self._found.get(kind)
        if service is None:
            raise Unsupported(f"{kind.__name__} is not running here: serve through attach() or mount_console().")
        return cast(T, service)
