"""`switchroom doctor`: how a running server is, or what it knows of a session id that its client gets 404 for."""

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
@click.argument("session_id", required=False)
@click.option(
    "--url", "--server", "url", default="http://127.0.0.1:8000", show_default=True, help="Where the server runs."
)
@click.option("--token", envvar="SWITCHROOM_TOKEN", help="An API token, of any role (or SWITCHROOM_TOKEN).")
def doctor(session_id: str | None, url: str, token: str | None) -> None:
    """Say why SESSION_ID, a whole Mcp-Session-Id, is refused; exit with 0 when it is not.

    Without an id, look for what the session-management guide tells people to look for (session ids, state, memory,
    authentication), and exit with 0 when all of it is fine. With - the id is read from standard input, which keeps it
    out of the shell's history.
    """
    if not token:
        raise StartupError(f"An API token is needed: give --token or set SWITCHROOM_TOKEN, or {_HOW}.")
    if session_id is None:
        sys.exit(_check_up(url, token))
    secret = sys.stdin.readline().strip() if session_id == "-" else session_id
    found = ask(url, token, _PATH, {"mcp_session_id": secret}, how=_HOW, member="verdict", timeout=_TIMEOUT)
    click.echo(visible_text(found.get("sentence", ""), _MAX_SHOWN))
    sys.exit(0 if found.get("verdict") == "live" else 1)


def _check_up(url: str, token: str) -> int:
    found = ask(url, token, "/api/v1/checkup", None, how=_HOW, member="findings", timeout=_TIMEOUT, method="GET")
    findings: list[dict[str, object]] = found["findings"]
    for each in findings:
        verdict = "fine    " if each["is_fine"] else "NOT FINE"
        click.echo(f"{verdict}  {visible_text(each['item'], _MAX_SHOWN)}: {visible_text(each['why'], _MAX_SHOWN)}")
        if each["advice"]:
            click.echo(f"          {visible_text(each['advice'], _MAX_SHOWN)}")
        click.echo(f"          {url.rstrip('/')}{visible_text(each['page'], _MAX_SHOWN)}")
    return 0 if all(each["is_fine"] for each in findings) else 1
