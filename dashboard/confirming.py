"""Asking for the password again before a secret is shown.

An API token has no password, so a script names the admin whose password it gives.
"""

from __future__ import annotations

from fastapi import Request

from ..server.errors import Forbidden, InvalidInput, LimitReached
from ..server.models import Actor, Role
from .attempts import SignInAttempts
from .auth import address_of
from .deps import accounts_of, switchroom

WRONG = "That is not the password."


def attempts_of(request: Request) -> SignInAttempts:
    """Return the counts of attempts, one list for signing in and for confirming."""
    state = request.app.state
    if not hasattr(state, "sign_in_attempts"):
        state.sign_in_attempts = SignInAttempts()
    attempts = state.sign_in_attempts
    assert isinstance(attempts, SignInAttempts)
    return attempts


async def confirm_password(
    request: Request, actor: Actor, password: str, *, action: str, target: str, operator: str = ""
) -> str:
    """Check the password of whoever acts and return their name; a wrong one is recorded as refused `action`.

    Args:
        operator: The admin whose password a script gives; an operator who is signed in gives their own.

    Raises:
        InvalidInput: The password is wrong, or a script names no operator.
        Forbidden: The operator that a script names is no admin.
        LimitReached: There were too many attempts.
    """
    name = actor.name if actor.kind == "operator" else operator.strip()
    if not name:
        raise InvalidInput("A token has no password: name an admin as operator, with their password.", field="operator")
    address, operations = address_of(request), switchroom(request).operations
    accounts, attempts = accounts_of(request), attempts_of(request)
    is_known = await accounts.sign_ins.is_known_address(name[:64], address)
    try:
        attempts.admit(name, address, is_known_address=is_known)
    except LimitReached as error:
        raise LimitReached("Too many passwords were tried.", retry_after=error.retry_after) from None
    found = (await accounts.operators.authenticate(name, password)).operator
    if found is None:
        if attempts.is_recorded(address):
            await operations.note_access(actor, action, target, "refused", {"why": "password"})
        raise InvalidInput(WRONG, field="password")
    attempts.succeeded(name, address)
    if not found.role.includes(Role.ADMIN):
        raise Forbidden(f"{found.name} is no admin: secrets are revealed to admins only.")
    return found.name
