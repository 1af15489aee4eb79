"""Errors as tools raise them: uncaught, their sentence reaches the client.

The SDK hides the text of exceptions it does not know, since a crash may name anything. Ours are written
for whoever called the tool, so inside one they are `ToolError`s too; `except Conflict` works as before.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from mcp.server.mcpserver.exceptions import ToolError

from ..current import current_call
from ..errors import (
    AlreadyEnded,
    CannotOpen,
    Conflict,
    Forbidden,
    InvalidInput,
    LimitReached,
    NotFound,
    NotSignedIn,
    StoreUnavailable,
    SwitchroomError,
    Unsupported,
)
from ..models import Failure

_CODE = re.compile(r"[a-z][a-z0-9_]{0,63}")


class ToolFailure(SwitchroomError, ToolError):
    """A failure that a tool means, with a code of its own: the client is told both."""

    def __init__(self, code: str, message: str, *, retry_after: int | None = None) -> None:
        """Args:
        code: Stable, 1 to 64 characters of `a-z`, `0-9` and `_`: what programs compare.
        message: One sentence that says what to do.
        retry_after: Seconds after which the same call may work.
        """
        if not _CODE.fullmatch(code):
            raise ValueError(f"{code!r} is no code: use 1 to 64 of a-z, 0-9 and _, beginning with a letter")
        super().__init__(message, **({} if retry_after is None else {"retry_after": retry_after}))
        self.code = code
        note_failure(self)


class ToldInvalidInput(InvalidInput, ToolError):
    """`InvalidInput`, told to the client."""


class ToldConflict(Conflict, ToolError):
    """`Conflict`, told to the client."""


class ToldLimitReached(LimitReached, ToolError):
    """`LimitReached`, told to the client."""


class ToldStoreUnavailable(StoreUnavailable, ToolError):
    """`StoreUnavailable`, told to the client."""


class ToldUnsupported(Unsupported, ToolError):
    """`Unsupported`, told to the client."""


class ToldCannotOpen(CannotOpen, ToolError):
    """`CannotOpen`, told to the client."""


class ToldNotSignedIn(NotSignedIn, ToolError):
    """`NotSignedIn`, told to the client."""


class ToldForbidden(Forbidden, ToolError):
    """`Forbidden`, told to the client."""


class ToldNotFound(NotFound, ToolError):
    """`NotFound`, told to the client."""


class ToldAlreadyEnded(AlreadyEnded, ToolError):
    """`AlreadyEnded`, told to the client."""


_TOLD = (
    ToldInvalidInput,
    ToldConflict,
    ToldLimitReached,
    ToldStoreUnavailable,
    ToldUnsupported,
    ToldCannotOpen,
    ToldNotSignedIn,
    ToldForbidden,
    ToldNotFound,
    ToldAlreadyEnded,
)


@contextmanager
def told() -> Generator[None]:
    """Raise what the body raises as an error that is also a `ToolError`."""
    try:
        yield
    except SwitchroomError as error:
        for kind in _TOLD:
            if isinstance(error, kind.__mro__[1]):
                detail: dict[str, Any] = error.detail
                note_failure(error)
                raise kind(error.message, **detail) from error
        raise


def note_failure(error: SwitchroomError) -> None:
    """Remember an error's code for the answer of the running call: the SDK passes its text on alone."""
    current = current_call.get()
    if current is not None and current.call is not None:
        retry_after = error.detail.get("retry_after")
        seconds = retry_after if isinstance(retry_after, int) else None
        current.call.failure = Failure(error.code, error.message, seconds)
