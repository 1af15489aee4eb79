"""Who may use the console: operators, API tokens, sign-ins, and one's own account."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar

from ...server.accounts import ApiToken, OpenSignIn, Operator
from ...server.models import Role
from ..urls import Urls

ROLES = tuple(role.value for role in Role)


@dataclass(frozen=True, slots=True)
class OperatorRow:
    """One operator."""

    name: ClassVar[str] = "person"
    login: str
    role: str
    state: str
    is_disabled: bool
    is_self: bool
    created_at: float
    last_sign_in_at: float | None
    role_url: str
    link_url: str
    switch_url: str
    """Disabling, which asks first, or enabling."""


@dataclass(frozen=True, slots=True)
class TokenRow:
    """One API token, never its secret."""

    name: ClassVar[str] = "token"
    id: str
    label: str
    role: str
    created_at: float
    last_used_at: float | None
    expires_at: float | None
    ended: str
    """`revoked` or `expired`; empty while it is valid."""
    revoke_url: str


@dataclass(frozen=True, slots=True)
class SignInRow:
    """One browser that is signed in."""

    name: ClassVar[str] = "visit"
    operator: str
    role: str
    address: str
    created_at: float
    seen_at: float
    expires_at: float
    is_own: bool
    end_url: str


@dataclass(frozen=True, slots=True)
class ShownOnce:
    """A secret that was made just now and is not shown again."""

    template: ClassVar[str] = "operators/_secret.html"
    name: ClassVar[str] = "secret"
    title: str
    text: str
    advice: str


@dataclass(frozen=True, slots=True)
class Filled:
    """What was typed into a form that came back, and why."""

    name: ClassVar[str] = "filled"
    form: str = ""
    """`operator`, `token` or `role`; empty when no form came back."""
    error: str = ""
    title: str = ""
    """The name that was typed."""
    role: str = Role.VIEWER.value
    days: str = "30"


@dataclass(frozen=True, slots=True)
class OperatorsPage:
    """The page of admins."""

    template: ClassVar[str] = "operators/index.html"
    name: ClassVar[str] = "staff"
    people: tuple[OperatorRow, ...]
    tokens: tuple[TokenRow, ...]
    visits: tuple[SignInRow, ...]
    roles: tuple[str, ...]
    secret: ShownOnce | None = None
    filled: Filled = field(default_factory=Filled)


@dataclass(frozen=True, slots=True)
class AccountPage:
    """One's own account."""

    template: ClassVar[str] = "operators/account.html"
    name: ClassVar[str] = "account"
    login: str
    role: str
    is_token: bool
    has_password: bool
    present_error: str = ""
    password_error: str = ""


@dataclass(frozen=True, slots=True)
class AccessForm:
    """Asks before somebody loses access."""

    template: ClassVar[str] = "dialogs/_access.html"
    name: ClassVar[str] = "access"
    action: str
    title: str
    sentence: str
    button: str
    reason: str
    error: str


def make_people(operators: Iterable[Operator], own_name: str, urls: Urls) -> tuple[OperatorRow, ...]:
    """Return the rows in the order given; `own_name` is who looks, `""` for an API token."""
    return tuple(
        OperatorRow(
            login=each.name,
            role=each.role.value,
            state="disabled" if each.is_disabled else "may sign in" if each.has_password else "by one-time link only",
            is_disabled=each.is_disabled,
            is_self=each.name.casefold() == own_name.casefold(),
            created_at=each.created_at,
            last_sign_in_at=each.last_sign_in_at,
            role_url=urls.operator(each.name, "role"),
            link_url=urls.operator(each.name, "links"),
            switch_url=urls.operator(each.name, "enabling" if each.is_disabled else "disabling"),
        )
        for each in operators
    )


def make_tokens(tokens: Iterable[ApiToken], now: float, urls: Urls) -> tuple[TokenRow, ...]:
    """Return the rows, valid ones first, then the newest."""
    ranked = sorted(tokens, key=lambda token: (not token.is_valid(now), -token.created_at))
    return tuple(
        TokenRow(
            id=each.id,
            label=each.name,
            role=each.role.value,
            created_at=each.created_at,
            last_used_at=each.last_used_at,
            expires_at=each.expires_at,
            ended="revoked" if each.revoked_at is not None else "" if each.is_valid(now) else "expired",
            revoke_url=urls.token_revocation(each.id),
        )
        for each in ranked
    )


def make_visits(sign_ins: Iterable[OpenSignIn], own_id: str, urls: Urls) -> tuple[SignInRow, ...]:
    """Return the rows in the order given; `own_id` is the sign-in of who looks."""
    return tuple(
        SignInRow(
            operator=each.operator,
            role=each.role.value,
            address=each.address,
            created_at=each.created_at,
            seen_at=each.seen_at,
            expires_at=each.expires_at,
            is_own=each.id == own_id,
            end_url=urls.operator_sign_in_ending(each.id),
        )
        for each in sign_ins
    )
