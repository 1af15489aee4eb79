"""A real authorization server, made of the SDK's own provider routes, and a client's whole OAuth flow with it."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit

import httpx2
from mcp.client.auth import OAuthClientProvider
from mcp.server.auth.provider import (
    AccessToken,
    AuthorizationCode,
    AuthorizationParams,
    OAuthAuthorizationServerProvider,
    RefreshToken,
    construct_redirect_uri,
)
from mcp.server.auth.routes import create_auth_routes
from mcp.server.auth.settings import ClientRegistrationOptions
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from pydantic import AnyHttpUrl, AnyUrl
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from tests.support.servers import serving

CALLBACK = "http://127.0.0.1:1/callback"
"""Never requested: the test's browser reads the address it is sent to."""

SCOPES = ["use", "ops"]


class Provider(OAuthAuthorizationServerProvider[AuthorizationCode, RefreshToken, AccessToken]):
    """Lets `subject` consent to everything, and grants what that user may do, as servers with roles do."""

    def __init__(self, subject: str, grants: Sequence[str]) -> None:
        self.subject = subject
        self._grants = list(grants)
        self._clients: dict[str, OAuthClientInformationFull] = {}
        self._codes: dict[str, AuthorizationCode] = {}
        self.tokens: dict[str, AccessToken] = {}

    async def get_client(self, client_id: str) -> OAuthClientInformationFull | None:
        return self._clients.get(client_id)

    async def register_client(self, client_info: OAuthClientInformationFull) -> None:
        assert client_info.client_id is not None
        self._clients[client_info.client_id] = client_info

    async def authorize(self, client: OAuthClientInformationFull, params: AuthorizationParams) -> str:
        assert client.client_id is not None
        code = secrets.token_urlsafe(24)
        self._codes[code] = AuthorizationCode(
            code=code,
            scopes=self._grants,
            expires_at=time.time() + 60,
            client_id=client.client_id,
            code_challenge=params.code_challenge,
            redirect_uri=params.redirect_uri,
            redirect_uri_provided_explicitly=params.redirect_uri_provided_explicitly,
            resource=params.resource,
            subject=self.subject,
        )
        return construct_redirect_uri(str(params.redirect_uri), code=code, state=params.state)

    async def load_authorization_code(
        self, client: OAuthClientInformationFull, authorization_code: str
    ) -> AuthorizationCode | None:
        return self._codes.get(authorization_code)

    async def exchange_authorization_code(
        self, client: OAuthClientInformationFull, authorization_code: AuthorizationCode
    ) -> OAuthToken:
        del self._codes[authorization_code.code]
        token = secrets.token_urlsafe(24)
        self.tokens[token] = AccessToken(
            token=token,
            client_id=authorization_code.client_id,
            scopes=authorization_code.scopes,
            expires_at=int(time.time()) + 3600,
            resource=authorization_code.resource,
            subject=authorization_code.subject,
        )
        scope = " ".join(authorization_code.scopes)
        return OAuthToken(access_token=token, token_type="Bearer", expires_in=3600, scope=scope)

    async def load_refresh_token(self, client: OAuthClientInformationFull, refresh_token: str) -> RefreshToken | None:
        return None

    async def exchange_refresh_token(
        self, client: OAuthClientInformationFull, refresh_token: RefreshToken, scopes: list[str]
    ) -> OAuthToken:
        raise AssertionError("no refresh tokens are issued")

    async def load_access_token(self, token: str) -> AccessToken | None:
        return self.tokens.get(token)

    async def revoke_token(self, token: AccessToken | RefreshToken) -> None:
        self.tokens.pop(token.token, None)


class _Late:
    """An application whose routes need the address it is served at."""

    def __init__(self) -> None:
        self.app: Starlette | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app is not None
        await self.app(scope, receive, send)


@asynccontextmanager
async def authorization_server(grants: Sequence[str], subject: str = "ann") -> AsyncGenerator[tuple[str, Provider]]:
    """Serve one on loopback; yield its issuer and its provider."""
    provider, late = Provider(subject, grants), _Late()

    async def introspect(request: Request) -> JSONResponse:
        """Answer as RFC 7662 says."""
        token = provider.tokens.get(str((await request.form())["token"]))
        if token is None:
            return JSONResponse({"active": False})
        return JSONResponse({"active": True, **token.model_dump(mode="json", exclude={"token"})})

    async with serving(late, lifespan="off") as issuer:
        options = ClientRegistrationOptions(enabled=True, valid_scopes=SCOPES, default_scopes=["use"])
        routes = create_auth_routes(provider, AnyHttpUrl(issuer), client_registration_options=options)
        late.app = Starlette(routes=[*routes, Route("/introspect", introspect, methods=["POST"])])
        yield issuer, provider


class _Storage:
    """Keeps what a client was given."""

    def __init__(self) -> None:
        self._tokens: OAuthToken | None = None
        self._client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self._tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self._tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self._client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self._client = client_info


def oauth(url: str) -> OAuthClientProvider:
    """Return a client's side: discovery, registration, the browser's part, and the exchange of the code."""
    landed: list[str] = []

    async def browse(address: str) -> None:
        async with httpx2.AsyncClient() as http:
            landed.append((await http.get(address)).headers["location"])

    async def returned() -> AuthorizationCodeResult:
        query = parse_qs(urlsplit(landed[-1]).query)
        return AuthorizationCodeResult(code=query["code"][0], state=query["state"][0])

    metadata = OAuthClientMetadata(
        redirect_uris=[AnyUrl(CALLBACK)],
        client_name="tester",
        grant_types=["authorization_code"],
    )
    return OAuthClientProvider(url, metadata, _Storage(), browse, returned)
