"""Who knows the passwords: the seam for an application that keeps its users elsewhere."""

from __future__ import annotations

from typing import Protocol


class UserVerifier(Protocol):
    """Checks passwords for `secure_login`. Called on the event loop, so it may not block.

    What either method raises refuses the sign-in, and is logged; the client is told that signing in
    does not work at the moment.
    """

    async def verify(self, username: str, password: str) -> str | None:
        """Return the user's name as it is to be shown, or `None` when name and password do not belong together.

        Should take as long for a name that nobody has. `username` and `password` have at most 1,024
        characters each and are otherwise as the client sent them.
        """
        ...

    async def stamp(self, username: str) -> str | None:
        """Return a text that changes whenever the user's password does; `None` when there is no such user (any more).

        Asked with the name that `verify` returned, before each protected operation and about every ten
        seconds while a session is signed in: another answer than at the sign-in ends it.
        """
        ...
