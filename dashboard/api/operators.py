"""Who may use the console and this API: operators, tokens, sign-ins. For admins."""

from __future__ import annotations

import time
from typing import Annotated, Any, Final, Literal

from fastapi import Path, Request
from pydantic import BaseModel, Field

from ...server.accounts import ApiToken, OpenSignIn, Operator
from ...server.models import Role
from ..deps import CurrentAccounts, CurrentAccountVerbs, CurrentActor
from ..templating import urls_of
from .requests import Body
from .routing import ROLE_KEY, ApiResponse, answer, api_router
from .values import PlainText, Time, optional_timestamp, timestamp

router = api_router("operators")

_ADMIN: Final[dict[str, Any]] = {ROLE_KEY: Role.ADMIN.value}

RoleName = Literal["viewer", "operator", "admin"]
NamePath = Annotated[str, Path(min_length=1, max_length=64)]
_Reason = Annotated[PlainText, Field(min_length=1, max_length=500, description="Written to the audit log.")]


class OperatorIn(Body):
    """A new operator."""

    name: Annotated[PlainText, Field(min_length=1, max_length=64)]
    role: RoleName
    password: Annotated[str, Field(max_length=1_024)] | None = Field(
        default=None, description="12 characters or more; without it the answer holds a one-time link."
    )


class RoleIn(Body):
    """Another role."""

    role: RoleName


class TokenIn(Body):
    """A new API token."""

    name: Annotated[PlainText, Field(min_length=1, max_length=64)]
    role: RoleName
    expires_in_seconds: Annotated[int, Field(ge=60, le=3_650 * 86_400)] | None = Field(
        default=None, description="Without it the token does not expire."
    )


class AccessReasonIn(Body):
    """Why somebody loses access."""

    reason: _Reason


class OperatorOut(BaseModel):
    """A person who may sign in."""

    name: str
    role: str
    has_password: bool
    is_disabled: bool
    created_at: Time
    last_sign_in_at: Time | None

    @classmethod
    def of(cls, operator: Operator) -> OperatorOut:
        return cls(
            name=operator.name,
            role=operator.role.value,
            has_password=operator.has_password,
            is_disabled=operator.is_disabled,
            created_at=timestamp(operator.created_at),
            last_sign_in_at=optional_timestamp(operator.last_sign_in_at),
        )


class OperatorAddedOut(OperatorOut):
    """A new operator, and the way in."""

    link: str | None = Field(
        description="Path of a one-time sign-in link, valid ten minutes, where no password was given."
    )


class LinkOut(BaseModel):
    """A one-time sign-in link."""

    link: str = Field(description="Path; put the console's origin before it. Valid ten minutes, shown once.")


class TokenOut(BaseModel):
    """An API token, without its secret."""

    id: str
    name: str
    role: str
    is_valid: bool
    created_at: Time
    expires_at: Time | None
    last_used_at: Time | None
    revoked_at: Time | None

    @classmethod
    def of(cls, token: ApiToken) -> TokenOut:
        return cls(
            id=token.id,
            name=token.name,
            role=token.role.value,
            is_valid=token.is_valid(time.time()),
            created_at=timestamp(token.created_at),
            expires_at=optional_timestamp(token.expires_at),
            last_used_at=optional_timestamp(token.last_used_at),
            revoked_at=optional_timestamp(token.revoked_at),
        )


class TokenMadeOut(TokenOut):
    """A new token."""

    secret: str = Field(description="Shown this once.")


class SignInOut(BaseModel):
    """A browser that is signed in."""

    id: str
    operator: str
    role: str
    address: str
    created_at: Time
    last_act_at: Time
    expires_at: Time

    @classmethod
    def of(cls, sign_in: OpenSignIn) -> SignInOut:
        return cls(
            id=sign_in.id,
            operator=sign_in.operator,
            role=sign_in.role.value,
            address=sign_in.address,
            created_at=timestamp(sign_in.created_at),
            last_act_at=timestamp(sign_in.seen_at),
            expires_at=timestamp(sign_in.expires_at),
        )


class OperatorsOut(BaseModel):
    """Everybody, disabled operators included."""

    items: list[OperatorOut]


class TokensOut(BaseModel):
    """Every token, revoked and expired ones included."""

    items: list[TokenOut]


class SignInsOut(BaseModel):
    """The sign-ins that are valid now, the last seen first."""

    items: list[SignInOut]


@router.get("/operators", response_model=OperatorsOut, openapi_extra=_ADMIN)
async def list_operators(accounts: CurrentAccounts) -> ApiResponse:
    """List everybody who may sign in."""
    return answer(OperatorsOut(items=[OperatorOut.of(each) for each in await accounts.operators.all()]))


@router.post("/operators", status_code=201, response_model=OperatorAddedOut, openapi_extra=_ADMIN)
async def add_operator(
    request: Request, body: OperatorIn, actor: CurrentActor, verbs: CurrentAccountVerbs
) -> ApiResponse:
    """Add an operator, with a password or with a one-time link."""
    added = await verbs.add_operator(actor, body.name, Role(body.role), body.password)
    link = urls_of(request).link(added.link) if added.link is not None else None
    return answer(OperatorAddedOut(**dict(OperatorOut.of(added.operator)), link=link), 201)


@router.put("/operators/{name}/role", response_model=OperatorOut, openapi_extra=_ADMIN)
async def set_role(name: NamePath, body: RoleIn, actor: CurrentActor, verbs: CurrentAccountVerbs) -> ApiResponse:
    """Give an operator another role; it holds at once."""
    return answer(OperatorOut.of(await verbs.set_role(actor, name, Role(body.role))))


@router.post("/operators/{name}/disabling", response_model=OperatorOut, openapi_extra=_ADMIN)
async def disable_operator(
    name: NamePath, body: AccessReasonIn, actor: CurrentActor, verbs: CurrentAccountVerbs
) -> ApiResponse:
    """Keep an operator out: sign-ins end now, live streams within five seconds."""
    return answer(OperatorOut.of(await verbs.disable_operator(actor, name, body.reason)))


@router.post("/operators/{name}/enabling", response_model=OperatorOut, openapi_extra=_ADMIN)
async def enable_operator(name: NamePath, actor: CurrentActor, verbs: CurrentAccountVerbs) -> ApiResponse:
    """Let a disabled operator sign in again."""
    return answer(OperatorOut.of(await verbs.enable_operator(actor, name)))


@router.post("/operators/{name}/links", status_code=201, response_model=LinkOut, openapi_extra=_ADMIN)
async def make_link(request: Request, name: NamePath, actor: CurrentActor, verbs: CurrentAccountVerbs) -> ApiResponse:
    """Make a one-time link that signs an operator in."""
    return answer(LinkOut(link=urls_of(request).link(await verbs.make_link(actor, name))), 201)


@router.get("/tokens", response_model=TokensOut, tags=["tokens"], openapi_extra=_ADMIN)
async def list_tokens(accounts: CurrentAccounts) -> ApiResponse:
    """List every API token, without its secret."""
    return answer(TokensOut(items=[TokenOut.of(each) for each in await accounts.tokens.all()]))


@router.post("/tokens", status_code=201, response_model=TokenMadeOut, tags=["tokens"], openapi_extra=_ADMIN)
async def create_token(body: TokenIn, actor: CurrentActor, verbs: CurrentAccountVerbs) -> ApiResponse:
    """Make a token; its secret is in this answer and nowhere else."""
    secret, token = await verbs.create_token(actor, body.name, Role(body.role), body.expires_in_seconds)
    return answer(TokenMadeOut(**dict(TokenOut.of(token)), secret=secret), 201)


@router.post("/tokens/{token_id}/revocation", response_model=TokenOut, tags=["tokens"], openapi_extra=_ADMIN)
async def revoke_token(
    token_id: NamePath, body: AccessReasonIn, actor: CurrentActor, verbs: CurrentAccountVerbs
) -> ApiResponse:
    """Make a token invalid at once."""
    return answer(TokenOut.of(await verbs.revoke_token(actor, token_id, body.reason)))


@router.get("/sign-ins", response_model=SignInsOut, tags=["sign-ins"], openapi_extra=_ADMIN)
async def list_sign_ins(accounts: CurrentAccounts) -> ApiResponse:
    """List the browsers that are signed in now."""
    return answer(SignInsOut(items=[SignInOut.of(each) for each in await accounts.sign_ins.open()]))


@router.post("/sign-ins/{sign_in_id}/ending", response_model=SignInOut, tags=["sign-ins"], openapi_extra=_ADMIN)
async def end_sign_in(
    sign_in_id: NamePath, body: AccessReasonIn, actor: CurrentActor, verbs: CurrentAccountVerbs
) -> ApiResponse:
    """End one browser's sign-in; its live streams end within five seconds."""
    return answer(SignInOut.of(await verbs.end_operator_sign_in(actor, sign_in_id, body.reason)))
