"""The first start: an operator from the settings, or a one-time link for whoever reads the terminal."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

from ..server.accounts import MIN_PASSWORD_LENGTH, Accounts, Operator
from ..server.errors import InvalidInput, StartupError
from ..server.models import Role
from ..server.settings import Settings
from .hosts import is_loopback

FIRST_OPERATOR: Final = "admin"


async def prepare_first_run(accounts: Accounts, settings: Settings, base_url: str) -> str | None:
    """Make sure that somebody can sign in, and return the one-time link to print, if one is needed.

    Args:
        accounts: Open.
        base_url: Where the console is reached, prefix included: `http://127.0.0.1:8000/admin`.

    Returns:
        `None` when an operator has a password.

    Raises:
        StartupError: The password setting is too short, or the server would listen beyond loopback
            without an operator who can sign in.
    """
    if settings.admin_password is not None:
        await _set_admin_password(accounts, settings.admin_password)
    operators = await accounts.operators.all()
    if any(operator.has_password and not operator.is_disabled for operator in operators):
        return None
    if not is_loopback(settings.console_host):
        raise StartupError(_needs_operator(settings, operators))
    if any(operator.has_password for operator in operators):
        # Disabled on purpose, and by somebody who can enable them again.
        return None
    return await _link(accounts, base_url)


async def _set_admin_password(accounts: Accounts, password: str) -> None:
    if len(password) < MIN_PASSWORD_LENGTH:
        raise StartupError(f"SWITCHROOM_ADMIN_PASSWORD needs {MIN_PASSWORD_LENGTH} characters or more.")
    try:
        operator = await accounts.operators.get(FIRST_OPERATOR)
        if operator is None:
            await accounts.operators.add(FIRST_OPERATOR, Role.ADMIN, password)
        elif not await accounts.operators.is_password(FIRST_OPERATOR, password):
            # Only a changed one is stored: setting a password ends the operator's sign-ins.
            await accounts.operators.set_password(FIRST_OPERATOR, password)
    except InvalidInput as error:
        raise StartupError(f"SWITCHROOM_ADMIN_PASSWORD cannot be used: {error}") from error


async def _link(accounts: Accounts, base_url: str) -> str:
    operator = await accounts.operators.get(FIRST_OPERATOR)
    if operator is None:
        await accounts.operators.add(FIRST_OPERATOR, Role.ADMIN)
    elif operator.is_disabled:
        # Whoever can start the server owns its files, and nobody else is left who could sign in.
        await accounts.operators.set_disabled(FIRST_OPERATOR, False)
    token = await accounts.links.create(FIRST_OPERATOR)
    return f"{base_url.rstrip('/')}/login/link?{urlencode({'token': token})}"


def _needs_operator(settings: Settings, operators: list[Operator]) -> str:
    if any(operator.is_disabled and operator.has_password for operator in operators):
        return (
            f"Every operator with a password is disabled, so nobody could sign in on {settings.console_host}. "
            f"Run `switchroom operators enable NAME`."
        )
    return (
        f"Listening on {settings.console_host} needs an operator first: "
        f"set SWITCHROOM_ADMIN_PASSWORD ({MIN_PASSWORD_LENGTH} characters or more)."
    )
