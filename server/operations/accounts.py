"""Who may use the console: operators, API tokens and sign-ins, changed by admins and by nobody else."""

from __future__ import annotations

from typing import NamedTuple

from ..accounts import Accounts, ApiToken, OpenSignIn, Operator
from ..errors import Conflict, Forbidden, InvalidInput
from ..models import Actor, Role
from .actions import Actions
from .sessions import check_reason


class OperatorAdded(NamedTuple):
    """A new operator, and the way in where no password was given."""

    operator: Operator
    link: str | None
    """Secret of a one-time link, valid ten minutes; `None` where the operator has a password."""


class AccountVerbs:
    """What admins do to accounts. Each verb is in the audit log; no secret ever is."""

    def __init__(self, accounts: Accounts, actions: Actions) -> None:
        self._accounts = accounts
        self._actions = actions

    # -- operators -----------------------------------------------------------------------------

    async def add_operator(self, actor: Actor, name: str, role: Role, password: str | None) -> OperatorAdded:
        """Add an operator, with a password or with a one-time link.

        Raises:
            Forbidden: The actor is no admin.
            InvalidInput: The name or the password cannot be used.
            Conflict: The name is taken.
        """
        async with self._actions.run(actor, "add_operator", name[:64], needs=Role.ADMIN) as action:
            operator = await self._accounts.operators.add(name, role, password)
            link = await self._accounts.links.create(operator.name) if password is None else None
            action.detail = {"role": role.value, "by": "link" if password is None else "password"}
            return OperatorAdded(operator, link)

    async def set_role(self, actor: Actor, name: str, role: Role) -> Operator:
        """Give an operator another role; it holds at once.

        Raises:
            Forbidden: The actor is no admin.
            NotFound: There is no such operator.
            Conflict: It is the last admin who can sign in.
        """
        async with self._actions.run(actor, "set_role", name[:64], needs=Role.ADMIN) as action:
            before = await self._accounts.operators.named(name)
            action.detail = {"from": before.role.value, "to": role.value}
            return await self._accounts.operators.set_role(name, role)

    async def disable_operator(self, actor: Actor, name: str, reason: str) -> Operator:
        """Keep an operator out: sign-ins end now, live streams within five seconds.

        Raises:
            Forbidden: The actor is no admin.
            InvalidInput: The reason is empty.
            NotFound: There is no such operator.
            Conflict: It is the actor, or the last admin who can sign in.
        """
        async with self._actions.run(actor, "disable_operator", name[:64], reason.strip(), needs=Role.ADMIN):
            check_reason(reason)
            if actor.kind == "operator" and name.casefold() == actor.name.casefold():
                raise Conflict("You cannot disable yourself; ask another admin.")
            return await self._accounts.operators.set_disabled(name, True)

    async def enable_operator(self, actor: Actor, name: str) -> Operator:
        """Let a disabled operator sign in again.

        Raises:
            Forbidden: The actor is no admin.
            NotFound: There is no such operator.
        """
        async with self._actions.run(actor, "enable_operator", name[:64], needs=Role.ADMIN):
            return await self._accounts.operators.set_disabled(name, False)

    async def make_link(self, actor: Actor, name: str) -> str:
        """Return the secret of a one-time link that signs an operator in, for ten minutes.

        Raises:
            Forbidden: The actor is no admin.
            NotFound: There is no such operator.
            Conflict: The operator is disabled.
        """
        async with self._actions.run(actor, "make_link", name[:64], needs=Role.ADMIN):
            operator = await self._accounts.operators.named(name)
            if operator.is_disabled:
                raise Conflict(f"{operator.name} is disabled: enable the operator first.")
            return await self._accounts.links.create(operator.name)

    async def change_own_password(self, actor: Actor, present: str, password: str) -> Operator:
        """Set the actor's own password, which ends every sign-in of theirs.

        Args:
            present: Their password so far; not looked at while they have none.

        Raises:
            Forbidden: The actor is an API token.
            InvalidInput: The present password is wrong, or the new one cannot be used.
        """
        if actor.kind != "operator":
            raise Forbidden("An API token has no password.")
        async with self._actions.run(actor, "change_password", actor.name, needs=Role.VIEWER):
            operators = self._accounts.operators
            known = await operators.named(actor.name)
            if known.has_password and not await operators.is_password(actor.name, present):
                raise InvalidInput("That is not your present password.", field="present")
            return await operators.set_password(actor.name, password)

    # -- tokens and sign-ins -------------------------------------------------------------------

    async def create_token(self, actor: Actor, name: str, role: Role, expires_in: float | None) -> tuple[str, ApiToken]:
        """Make an API token and return its secret, which cannot be shown again.

        Raises:
            Forbidden: The actor is no admin.
            InvalidInput: The name or the time cannot be used.
        """
        async with self._actions.run(actor, "create_token", name[:64], needs=Role.ADMIN) as action:
            secret, token = await self._accounts.tokens.create(name, role, expires_in=expires_in)
            action.detail = {"token": token.id, "role": role.value, "expires_in": expires_in}
            return secret, token

    async def revoke_token(self, actor: Actor, token_id: str, reason: str) -> ApiToken:
        """Make a token invalid: it opens nothing from now on, its live streams end within five seconds.

        Raises:
            Forbidden: The actor is no admin.
            InvalidInput: The reason is empty.
            NotFound: No valid token has that id.
        """
        async with self._actions.run(actor, "revoke_token", token_id[:64], reason.strip(), needs=Role.ADMIN) as action:
            check_reason(reason)
            token = await self._accounts.tokens.revoke(token_id)
            action.detail = {"name": token.name}
            return token

    async def end_operator_sign_in(self, actor: Actor, sign_in_id: str, reason: str) -> OpenSignIn:
        """End one browser's sign-in; its live streams end within five seconds.

        Raises:
            Forbidden: The actor is no admin.
            InvalidInput: The reason is empty.
            NotFound: It has ended already.
        """
        verb, target = "end_operator_sign_in", sign_in_id[:64]
        async with self._actions.run(actor, verb, target, reason.strip(), needs=Role.ADMIN) as action:
            check_reason(reason)
            ended = await self._accounts.sign_ins.end_by_id(sign_in_id)
            action.detail = {"operator": ended.operator, "address": ended.address}
            return ended
