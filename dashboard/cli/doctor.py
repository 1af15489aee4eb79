"""`switchroom doctor`: what a running server knows of a session id that its client gets 404 for."""

from __future__ import annotations

import sys

import click

from ...server.errors import StartupError
from ..visible import visible_text
from .calling import ask

_PATH = "/api/v1/sessions/diagnosis"
_TIMEOUT = 10.0
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
    found = ask(url, token, _PATH, {"mcp_session_id": secret}, how=_HOW, member="verdict", timeout=_TIMEOUT)
    click.echo(visible_text(found.get("sentence", ""), _MAX_SHOWN))
    sys.exit(0 if found.get("verdict") == "live" else 1)
