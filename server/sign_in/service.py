"""Sign-ins of sessions: made with a password, kept with the session, ended when they should be."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import time
from typing import Final

from ..attempts import Attempts, Rate
from ..data.values import check_text
from ..engine.engine import Engine
from ..engine.session import LiveSession
from ..errors import InvalidInput, LimitReached, NotSignedIn, StoreUnavailable, Unsupported
from ..models import EventKind, SignedIn
from .verifier import UserVerifier

logger = logging.getLogger(__name__)

PER_SESSION: Final = Rate(5, 5, "session")
"""Wrong passwords in one session: 5 in 5 minutes."""

PER_USER: Final = Rate(20, 15, "user")
"""Attempts on one user's password from whatever sessions: 20 in 15 minutes."""

MAX_INPUT: Final = 1024
"""Characters of a name and of a password; longer ones are refused before they cost anything."""

_PROBE_SECONDS = 5.0
_REVIEW_SECONDS: Final = 10.0

NOT_WORKING: Final = "Signing in does not work at the moment. Ask the operator of this server."


class SignIns:
    """Who is signed in, in which session. The session's record keeps it, so it survives what the session survives."""

    def __init__(self, engine: Engine, verifier: UserVerifier) -> None:
        self.verifier = verifier
        self._engine = engine
        self._attempts = Attempts()
        self._signed_in: set[str] | None = None
        """Sessions to look at; `None` until they are read from what a restart brought back."""
        self._reviewed_at = 0.0
        engine.on_tick.append(self._tick)

    async def begin(self, session: LiveSession, username: str, password: str) -> SignedIn:
        """Sign a session in.

        Raises:
            InvalidInput: Nobody has such a name or password, whoever they are: with what is allowed.
            LimitReached: Too many attempts in this session or on this name; `retry_after` says when to try again.
            NotSignedIn: Name and password do not belong together.
            Unsupported: The users cannot be asked.
            StoreUnavailable: It could not be kept; the session is not signed in.
        """
        _check(username, password)
        self._admit(PER_SESSION, session.record.id)
        self._admit(PER_USER, username.casefold()[:64])
        user, stamp = await self._verify(username, password)
        if user is None or stamp is None:
            session.note(EventKind.LIFECYCLE, "sign_in_refused")
            raise NotSignedIn("Invalid credentials")
        self._attempts.forget(PER_SESSION, session.record.id)
        now = time.time()
        signed_in = SignedIn(user, now, now + self._engine.settings.sign_in_seconds, stamp)
        before, session.record.signed_in = session.record.signed_in, signed_in
        try:
            await self._engine.save(session)
        except StoreUnavailable:
            session.record.signed_in = before
            raise
        self._watched().add(session.record.id)
        detail = {"user": user, "until": signed_in.expires_at}
        session.note(EventKind.LIFECYCLE, "signed_in", json.dumps(detail))
        return signed_in

    def _admit(self, rate: Rate, key: str) -> None:
        try:
            self._attempts.admit(rate, key)
        except LimitReached as error:
            wait = error.retry_after
            raise LimitReached(f"{error.message} Try again in {wait} seconds.", retry_after=wait) from None

    async def _verify(self, username: str, password: str) -> tuple[str | None, str | None]:
        try:
            # The stamp comes first: a password that is changed meanwhile ends the sign-in, instead of carrying it.
            before = await self.verifier.stamp(username)
            user = await self.verifier.verify(username, password)
            return user, before if user is None or before is not None else await self.verifier.stamp(user)
        except Exception as error:
            logger.exception("the users could not be asked")
            raise Unsupported(NOT_WORKING) from error

    async def current(self, session: LiveSession) -> SignedIn | None:
        """Return who is signed in, having asked whether they still may be."""
        signed_in = session.record.signed_in
        if signed_in is None:
            return None
        cause = await self._cause_to_end(signed_in)
        if cause is None:
            return signed_in
        await self.end(session, cause)
        return None

    async def _cause_to_end(self, signed_in: SignedIn) -> str | None:
        if signed_in.expires_at <= time.time():
            return "its time was up"
        try:
            stamp = await self.verifier.stamp(signed_in.user)
        except Exception as error:
            logger.exception("the users could not be asked")
            raise Unsupported(NOT_WORKING) from error
        if stamp is None:
            return "the user was removed"
        return None if stamp == signed_in.stamp else "the password was changed"

    async def end(self, session: LiveSession, cause: str, *, by: str | None = None) -> SignedIn | None:
        """End a sign-in and return it; `None` when nobody was signed in."""
        signed_in, session.record.signed_in = session.record.signed_in, None
        self._watched().discard(session.record.id)
        if signed_in is None:
            return None
        detail = {"user": signed_in.user, "cause": cause} | ({"by": by} if by is not None else {})
        session.note(EventKind.LIFECYCLE, "signed_out", json.dumps(detail))
        await self._engine.save(session)
        return signed_in

    async def probe(self) -> str:
        """Ask the verifier about a user that nobody is; return what is wrong with it, `""` when nothing is."""
        name, password = f"nobody-{secrets.token_hex(8)}", secrets.token_hex(16)
        try:
            async with asyncio.timeout(_PROBE_SECONDS):
                stamp, user = await self.verifier.stamp(name), await self.verifier.verify(name, password)
        except TimeoutError:
            return f"it does not answer within {_PROBE_SECONDS:g} s."
        except Exception as error:
            logger.exception("the users could not be asked")
            return f"it raises {type(error).__name__}, so nobody can sign in; the server's log has the rest."
        if user is not None:
            return "it lets somebody in whose name and password were made up this moment."
        return "it knows a stamp for a name that was made up this moment." if stamp is not None else ""

    # -- those nobody asks about ---------------------------------------------------------------

    def _watched(self) -> set[str]:
        if self._signed_in is None:
            live = self._engine.by_id.items()
            self._signed_in = {session_id for session_id, session in live if session.record.signed_in is not None}
        return self._signed_in

    def _tick(self) -> None:
        now = time.monotonic()
        if now - self._reviewed_at >= _REVIEW_SECONDS and self._watched():
            self._reviewed_at = now
            self._engine.spawn(self.review())

    async def review(self) -> None:
        """End the sign-ins that are over, so that the console shows what is so."""
        for session_id in list(self._watched()):
            session = self._engine.by_id.get(session_id)
            if session is None:
                self._watched().discard(session_id)
            else:
                await self.current(session)


def _check(username: str, password: str) -> None:
    """Refuse what can be nobody's name or password; it is no attempt, and tells nothing of who there is."""
    if not username or not password:
        raise InvalidInput(f"username and password have 1 to {MAX_INPUT:,} characters each; one of them is empty.")
    check_text(username, "username", most=MAX_INPUT)
    check_text(password, "password", most=MAX_INPUT)
    if not username.isprintable():
        raise InvalidInput("username has printable characters only; this one has others.", field="username")
