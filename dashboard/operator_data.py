"""What the operators' page shows, and the forms before somebody loses access."""

from __future__ import annotations

import time

from fastapi import Request

from ..server.accounts import Accounts
from ..server.errors import NotFound
from ..server.models import Actor
from .auth import credential_of
from .contexts.operators import (
    ROLES,
    AccessForm,
    Filled,
    OperatorsPage,
    ShownOnce,
    make_people,
    make_tokens,
    make_visits,
)
from .deps import accounts_of
from .templating import urls_of
from .urls import Urls


async def operators_page(
    request: Request, actor: Actor, *, secret: ShownOnce | None = None, filled: Filled | None = None
) -> OperatorsPage:
    """Return the page as things are now."""
    accounts, urls = accounts_of(request), urls_of(request)
    credential = credential_of(request)
    own = accounts.sign_ins.id_of(credential.secret) if credential is not None and not credential.is_token else ""
    return OperatorsPage(
        people=make_people(await accounts.operators.all(), actor.name if actor.kind == "operator" else "", urls),
        tokens=make_tokens(await accounts.tokens.all(), time.time(), urls),
        visits=make_visits(await accounts.sign_ins.open(), own, urls),
        roles=ROLES,
        secret=secret,
        filled=filled or Filled(),
    )


async def disabling_form(accounts: Accounts, urls: Urls, name: str, *, reason: str = "", error: str = "") -> AccessForm:
    """Return the form before an operator is disabled.

    Raises:
        NotFound: There is no such operator.
    """
    operator = await accounts.operators.named(name)
    return AccessForm(
        action=urls.operator(operator.name, "disabling"),
        title=f"Disable {operator.name}?",
        sentence="Every sign-in ends now and live streams within 5 seconds. What was done stays in the audit log.",
        button="Disable operator",
        reason=reason,
        error=error,
    )


async def revocation_form(
    accounts: Accounts, urls: Urls, token_id: str, *, reason: str = "", error: str = ""
) -> AccessForm:
    """Return the form before a token is revoked.

    Raises:
        NotFound: There is no such token.
    """
    token = next((each for each in await accounts.tokens.all() if each.id == token_id), None)
    if token is None:
        raise NotFound(f"There is no token {token_id}.")
    return AccessForm(
        action=urls.token_revocation(token.id),
        title=f"Revoke token {token.name}?",
        sentence="Whatever uses it is answered with 401 from now on. This cannot be undone.",
        button="Revoke token",
        reason=reason,
        error=error,
    )


async def ending_form(
    accounts: Accounts, urls: Urls, sign_in_id: str, *, reason: str = "", error: str = ""
) -> AccessForm:
    """Return the form before a sign-in is ended.

    Raises:
        NotFound: It has ended already.
    """
    visit = next((each for each in await accounts.sign_ins.open() if each.id == sign_in_id), None)
    if visit is None:
        raise NotFound("This sign-in has ended already.")
    return AccessForm(
        action=urls.operator_sign_in_ending(visit.id),
        title=f"End the sign-in of {visit.operator}?",
        sentence=f"The browser at {visit.address} has to sign in again; its live streams end within 5 seconds.",
        button="End sign-in",
        reason=reason,
        error=error,
    )
