"""The errors Switchroom raises on purpose, each with a stable code.

The dashboard maps codes to HTTP statuses once; everything else is a bug and shows a neutral message.
"""

from __future__ import annotations


class SwitchroomError(Exception):
    """Base of every deliberate error: a stable `code` and a sentence that says what to do."""

    code = "error"

    def __init__(self, message: str, **detail: object) -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail


class InvalidInput(SwitchroomError):
    """The request is malformed or out of bounds."""

    code = "invalid_input"


class NotFound(SwitchroomError):
    """What was named does not exist, or not any more."""

    code = "not_found"


class AlreadyEnded(SwitchroomError):
    """The session has already ended."""

    code = "already_ended"


class Conflict(SwitchroomError):
    """The value was changed by somebody else meanwhile."""

    code = "conflict"


class Forbidden(SwitchroomError):
    """The actor's role does not allow this."""

    code = "forbidden"


class NotSignedIn(SwitchroomError):
    """No valid sign-in or token came with the request."""

    code = "not_signed_in"


class CannotOpen(SwitchroomError):
    """A sealed secret does not open here. One text for every cause, so that nothing can be learned from it."""

    code = "cannot_open"

    def __init__(self, message: str = "This secret cannot be opened here.", **detail: object) -> None:
        super().__init__(message, **detail)


class Unsupported(SwitchroomError):
    """The transport, the era or the server cannot do this; the message says which and why."""

    code = "unsupported"


class LimitReached(SwitchroomError):
    """A limit is reached; `retry_after` says in how many seconds to try again."""

    code = "limit_reached"

    def __init__(self, message: str, *, retry_after: int = 1, **detail: object) -> None:
        super().__init__(message, retry_after=retry_after, **detail)
        self.retry_after = retry_after


class Blocked(SwitchroomError):
    """An operator has blocked the sender; `retry_after` says for how many seconds more, `None` without an end."""

    code = "blocked"

    def __init__(self, message: str, *, retry_after: int | None, **detail: object) -> None:
        super().__init__(message, retry_after=retry_after, **detail)
        self.retry_after = retry_after


class StoreUnavailable(SwitchroomError):
    """The store did not acknowledge a write, or could not be read, within its bound."""

    code = "store_unavailable"


class Overloaded(StoreUnavailable):
    """The store's queue is full; nothing was queued."""

    code = "overloaded"


class StoreDamaged(StoreUnavailable):
    """The store met damage in what it keeps, which trying again does not mend."""

    code = "store_damaged"


class StartupError(SwitchroomError):
    """The process cannot start; the message is the whole of what the operator sees."""

    code = "startup"
