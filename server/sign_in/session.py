"""`SignIn`, which tools inject: signing the caller's session in and out, and asking who it is."""

from __future__ import annotations

from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.mcpserver import Context
from pydantic import SecretStr

from ..current import CurrentCall
from ..data.calling import calling_session
from ..data.telling import told
from ..errors import Forbidden, NotSignedIn
from ..models import SignedIn
from .service import SignIns


class SignIn:
    """The sign-in of one session. Its errors are `ToolError`s as well: uncaught, they tell the client what to do."""

    def __init__(self, current: CurrentCall) -> None:
        self._session = current.session
        with told():
            self._sign_ins = current.engine.services.get(SignIns)

    @property
    def session_id(self) -> str:
        """The session's public reference, as the console shows it. Not a secret."""
        return self._session.record.id

    async def login(self, username: str, password: str | SecretStr) -> SignedIn:
        """Sign the session in, instead of whoever was.

        Raises:
            InvalidInput: The name or the password is empty, too long or has control characters.
            LimitReached: Too many attempts; `retry_after` has the seconds to wait.
            NotSignedIn: Name and password do not belong together.
            Unsupported: The users cannot be asked at the moment.
        """
        plain = password.get_secret_value() if isinstance(password, SecretStr) else password
        with told():
            return await self._sign_ins.begin(self._session, username, plain)

    async def current(self) -> SignedIn | None:
        """Return who is signed in, or `None`."""
        with told():
            return await self._sign_ins.current(self._session)

    async def require(self, *, scope: str = "") -> SignedIn:
        """Return who is signed in.

        Args:
            scope: Where the server asks for access tokens, this call's token must have it too; `""` asks for none.

        Raises:
            NotSignedIn: Nobody is, or not any more.
            Forbidden: The token lacks the scope.
        """
        with told():
            signed_in = await self._sign_ins.current(self._session)
            if signed_in is None:
                raise NotSignedIn("Session not authenticated. Call secure_login first.")
            token = get_access_token()
            if scope and token is not None and scope not in token.scopes:
                raise Forbidden(f"Insufficient permissions: the access token lacks the scope {scope!r}.")
            return signed_in

    async def logout(self) -> SignedIn | None:
        """Sign the session out; `None` when nobody was signed in."""
        with told():
            return await self._sign_ins.end(self._session, "signed out")


def sign_in(ctx: Context) -> SignIn:
    """Return the sign-in of the running call's session; for `Resolve`.

    Raises:
        ToolError: The server is not attached to Switchroom, or a call of the newer era has no valid handle.
    """
    return SignIn(calling_session(ctx, "Signing in"))
