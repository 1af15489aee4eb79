"""Dependencies of every route: the running Switchroom, and who is asking and whether they may."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request

from ..server.accounts import Accounts
from ..server.attach import Switchroom
from ..server.errors import Forbidden, NotSignedIn
from ..server.models import Actor, Role
from ..server.operations import AccountVerbs
from ..server.settings import Settings
from .auth import address_of, credential_of, identify
from .followers import Followers


def switchroom(request: Request) -> Switchroom:
    """Return the running Switchroom, which the composition root keeps in the application's state."""
    running = request.app.state.switchroom
    assert isinstance(running, Switchroom)
    return running


def accounts_of(request: Request) -> Accounts:
    """Return the accounts, which the composition root keeps in the application's state."""
    accounts = request.app.state.accounts
    assert isinstance(accounts, Accounts)
    return accounts


def settings_of(request: Request) -> Settings:
    """Return the settings, which the composition root keeps in the application's state."""
    settings = request.app.state.settings
    assert isinstance(settings, Settings)
    return settings


def followers_of(request: Request) -> Followers:
    """Return who follows live streams right now, one list for the application."""
    state = request.app.state
    if not hasattr(state, "followers"):
        state.followers = Followers()
    followers = state.followers
    assert isinstance(followers, Followers)
    return followers


async def current_actor(request: Request) -> Actor:
    """Return who is asking, as an act of theirs.

    Raises:
        NotSignedIn: Nobody we know.
    """
    return await _actor(request, touch=True)


async def watching_actor(request: Request) -> Actor:
    """Return who is asking, for streams and polling, which do not start the idle limit again.

    Raises:
        NotSignedIn: Nobody we know.
    """
    return await _actor(request, touch=False)


async def following_actor(request: Request) -> AsyncGenerator[Actor]:
    """Give who is asking, for a live stream, and count the stream until its answer has ended.

    Raises:
        NotSignedIn: Nobody we know.
        LimitReached: The actor follows as many streams as one may.
    """
    actor = await watching_actor(request)
    with followers_of(request).following(actor):
        yield actor


def require(role: Role, action: str | None = None) -> Callable[[Request], Awaitable[Actor]]:
    """Return a dependency that lets through `role` and above; a refusal is written to the audit log.

    Args:
        action: What the audit log calls the refused action; by default the name of the endpoint.

    Raises:
        NotSignedIn: Nobody we know.
        Forbidden: The actor's role does not include `role`.
    """

    async def permitted(request: Request) -> Actor:
        actor = await current_actor(request)
        await check_role(request, actor, role, action)
        return actor

    return permitted


async def check_role(request: Request, actor: Actor, role: Role, action: str | None = None) -> None:
    """Raise `Forbidden`, and record that, unless the actor's role includes `role`."""
    if actor.role.includes(role):
        return
    name = action or str(getattr(request.scope.get("endpoint"), "__name__", request.method))
    detail: dict[str, object] = {"method": request.method, "needs": role.value}
    await switchroom(request).operations.note_access(actor, name, request.url.path[:200], "refused", detail)
    raise Forbidden(f"This needs the role {role.value}; {actor.name} is {actor.role.value}.")


async def _actor(request: Request, *, touch: bool) -> Actor:
    known = getattr(request.state, "actor", None)
    if isinstance(known, Actor):
        return known
    credential = credential_of(request)
    if credential is None:
        raise NotSignedIn("Sign in first, or send an API token.")
    actor = await identify(accounts_of(request), credential, address_of(request), touch=touch)
    if actor is None:
        if credential.is_token:
            raise NotSignedIn("This API token is not valid (any more).")
        raise NotSignedIn("Your sign-in has ended. Sign in again.", has_ended=True)
    request.state.actor = actor
    return actor


CurrentActor = Annotated[Actor, Depends(current_actor)]
WatchingActor = Annotated[Actor, Depends(watching_actor)]
FollowingActor = Annotated[Actor, Depends(following_actor)]
OperatorActor = Annotated[Actor, Depends(require(Role.OPERATOR))]
AdminActor = Annotated[Actor, Depends(require(Role.ADMIN))]
CurrentSwitchroom = Annotated[Switchroom, Depends(switchroom)]
CurrentAccounts = Annotated[Accounts, Depends(accounts_of)]


def account_verbs(request: Request) -> AccountVerbs:
    """Return the verbs on this console's accounts."""
    return switchroom(request).operations.on_accounts(accounts_of(request))


CurrentAccountVerbs = Annotated[AccountVerbs, Depends(account_verbs)]
