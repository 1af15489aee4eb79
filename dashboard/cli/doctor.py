"""`switchroom doctor`: what a running server knows of a session id that its client gets 404 for."""

from __future__ import annotations

import http.client
import json
import sys
from typing import Any, cast
from urllib.parse import SplitResult, urlsplit

import click

from ...server.errors import StartupError
from ..visible import visible_text

_PATH = "/api/v1/sessions/diagnosis"
_TIMEOUT = 10.0
_MAX_ANSWER = 1024 * 1024
_MAX_SHOWN = 2_000
_HOW = "make one with switchroom tokens create --name doctor --role viewer"


@click.command()
@click.argument("session_id")
@click.option("--url", default="http://127.0.0.1:8000", show_default=True, help="Where the server runs.")
@click.option("--token", envvar="SWITCHROOM_TOKEN", help="An API token, of any role (or SWITCHROOM_TOKEN).")
def doctor(session_id: str, url: str, token: str | None) -> None:
    """Say why SESSION_ID, a whole Mcp-Session-Id, is refused; exit with 0 when it is not.

    With - the id is read from standard input, which keeps it out of the shell's history.
    """
    if not token:
        raise StartupError(f"An API token is needed: give --token or set SWITCHROOM_TOKEN, or {_HOW}.")
    secret = sys.stdin.readline().strip() if session_id == "-" else session_id
    found = _ask(url, token, secret)
    click.echo(visible_text(found.get("sentence", ""), _MAX_SHOWN))
    sys.exit(0 if found.get("verdict") == "live" else 1)


def _ask(url: str, token: str, secret: str) -> dict[str, Any]:
    """Return the diagnosis.

    Raises:
        StartupError: The server cannot be reached, does not let us in, or is no Switchroom.
    """
    address = _address(url)
    kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    try:
        # Not urllib: it would follow a redirect with the token, and take a proxy to loopback.
        connection = kind(cast("str", address.hostname), address.port, timeout=_TIMEOUT)
        try:
            connection.request("POST", address.path.rstrip("/") + _PATH, _body(secret), headers)
            response = connection.getresponse()
            status, content = response.status, response.read(_MAX_ANSWER)
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error) or "no answer"
        raise StartupError(
            f"The server at {url} cannot be reached ({reason}): start it, or name it with --url."
        ) from error
    return _read(url, status, content)


def _address(url: str) -> SplitResult:
    refused = StartupError(f"{url} is no address: write --url http://127.0.0.1:8000.")
    try:
        address = urlsplit(url)
        is_usable = address.scheme in ("http", "https") and bool(address.hostname) and address.port != 0
    except ValueError:
        raise refused from None
    if not is_usable:
        raise refused
    return address


def _body(secret: str) -> bytes:
    return json.dumps({"mcp_session_id": secret}).encode("ascii")


def _read(url: str, status: int, content: bytes) -> dict[str, Any]:
    if status == 401:
        raise StartupError(f"The token is not valid at {url}: {_HOW}.")
    try:
        answer: object = json.loads(content)
    except ValueError:
        answer = None
    members = cast("dict[str, Any]", answer) if isinstance(answer, dict) else {}
    if status == 200 and "verdict" in members:
        return members
    detail = visible_text(members.get("detail", f"HTTP {status}"))
    raise StartupError(f"{url} does not answer as Switchroom's API does ({detail}): check --url.")
