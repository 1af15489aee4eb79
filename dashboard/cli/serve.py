"""`switchroom serve`: a server with its console, in one process."""

from __future__ import annotations

import asyncio
import gc
import importlib.metadata
import os
import socket
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from typing import Any, Literal, NamedTuple

import click
import uvicorn
from pydantic import SecretStr, ValidationError
from starlette.types import ASGIApp

from ...server.attach import McpServer
from ...server.current import hidden_now
from ...server.errors import StartupError
from ...server.logs import configure_logging
from ...server.sealing import TEMPORARY
from ...server.settings import Settings, sources_of
from ..app import Console, create_app
from ..first_run import prepare_first_run
from ..hosts import is_loopback
from .connections import ConnectionLedger, bounded_protocol
from .listeners import AdminServer, MainServer, base_of, bind
from .targets import load_target

MAX_DEMO = 100

_OTHER_VARIABLES = frozenset({"SWITCHROOM_TOKEN"})
"""What commands read from the environment beside the settings."""


@click.command()
@click.argument("target", required=False)
@click.option("--host", help="Address to listen on (default: 127.0.0.1).")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 chooses a free one (default: 8000).")
@click.option(
    "--admin-port",
    type=click.IntRange(0, 65535),
    help="Port of the console alone; --port then serves MCP alone (default: one port for both).",
)
@click.option("--db", metavar="URL", help="Where sessions are kept (default: sqlite:///switchroom.db; or memory:).")
@click.option("--demo", type=click.IntRange(0, MAX_DEMO), default=0, metavar="N", help="Start N real clients at work.")
@click.option("--json-response", is_flag=True, help="Answer handshake-era requests as JSON instead of SSE.")
@click.option("--sse", is_flag=True, help="Serve the older HTTP+SSE transport too, at /sse and /messages/.")
@click.option("--stdio", is_flag=True, help="Speak MCP over standard input and output; the console runs beside it.")
@click.option("--stateless", is_flag=True, help="Serve the handshake era without sessions.")
def serve(
    target: str | None,
    host: str | None,
    port: int | None,
    admin_port: int | None,
    db: str | None,
    demo: int,
    json_response: bool,
    sse: bool,
    stdio: bool,
    stateless: bool,
) -> None:
    """Serve TARGET (file.py:object or module:object) with its console; without it, the bundled server.

    MCP answers at /mcp, the console at /admin, the JSON API at /api/v1.
    """
    settings = load_settings(
        host=host,
        port=port,
        admin_port=admin_port,
        db=db,
        json_response=json_response or None,
        stateless_http=stateless or None,
    )
    warn_unknown(os.environ)
    if demo and settings.secret_keys is None:
        settings = settings.model_copy(update={"secret_keys": SecretStr(TEMPORARY)})
    check_limits(settings)
    configure_logging(settings.log_format, hidden=hidden_now)
    mcp = load_target(target)
    with ExitStack() as stack:
        main = stack.enter_context(closing(bind(settings.host, settings.port, "--port")))
        admin: socket.socket | None = None
        if settings.admin_port is not None:
            admin = stack.enter_context(closing(bind(settings.admin_host, settings.admin_port, "--admin-port")))
        with suppress(KeyboardInterrupt):  # the way people stop it
            asyncio.run(_serve(mcp, settings, Listeners(main, admin), demo, stdio, with_sse=sse))


def load_settings(**given: Any) -> Settings:
    """Return the settings: what was given, then the environment, then `.env`.

    Raises:
        StartupError: A value is not allowed; the message names it and what is.
    """
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "a setting"
        value = "what it is set to" if name in ("admin_password", "secret_keys") else repr(first.get("input"))
        source = sources_of({each: value for each, value in given.items() if value is not None}).get(name, "")
        variable = source.removesuffix(" in .env") if "_" in source else f"SWITCHROOM_{name.upper()}"
        raise StartupError(f"{variable} cannot be {value}: {first['msg']}.") from error


def warn_unknown(environment: Mapping[str, str]) -> None:
    """Name each `SWITCHROOM_` variable that no setting reads, with the one that was probably meant."""
    import difflib

    known = {f"SWITCHROOM_{name.upper()}" for name in Settings.model_fields} | _OTHER_VARIABLES
    for name in sorted(environment):
        if name.upper().startswith("SWITCHROOM_") and name.upper() not in known:
            near = difflib.get_close_matches(name.upper(), known, n=1)
            meant = f" Did you mean {near[0]}?" if near else " `switchroom config` lists those there are."
            click.echo(f"Warning: no setting reads {name}.{meant}", err=True)


def check_limits(settings: Settings) -> None:
    """Refuse to run without limits where others can reach the server.

    Raises:
        StartupError: Limits are off beyond loopback.
    """
    if not settings.has_limits and not is_loopback(settings.host):
        raise StartupError(
            f"SWITCHROOM_LIMITS=off is for load tests on loopback, not for {settings.host}: "
            "unset it, or listen on 127.0.0.1."
        )


class Listeners(NamedTuple):
    """The sockets that were bound before anything else was done."""

    main: socket.socket
    admin: socket.socket | None
    """`None` where one serves both."""


async def _serve(
    mcp: McpServer, settings: Settings, listeners: Listeners, demo: int, stdio: bool, *, with_sse: bool
) -> None:
    app, console = create_app(mcp, settings, mcp_path=settings.mcp_path, with_sse=with_sse)
    console.on_built = gc.freeze  # nothing of it ever becomes garbage: collections need not look at it again
    ledger = ConnectionLedger(settings, console.switchroom.engine.limit_hits)
    base = console_base = base_of(settings.host, listeners.main)
    admin: tuple[AdminServer, socket.socket] | None = None
    if listeners.admin is not None:
        console_base, console.mcp_base = base_of(settings.admin_host, listeners.admin), base
        admin = AdminServer(_config(app.split(), ledger, lifespan="off")), listeners.admin
    await console.accounts.open()
    link = await prepare_first_run(console.accounts, settings, f"{console_base}{console.urls.prefix}")
    await console.switchroom.start()
    with demo_clients(f"{base}{console.urls.mcp_path}", demo):
        announce(console, base, console_base, link, with_sse=with_sse, to_stderr=stdio)
        server = MainServer(_config(app, ledger), admin)
        speaking = asyncio.create_task(_speak_stdio(console, mcp, server)) if stdio else None
        await server.serve(sockets=[listeners.main])
        if speaking is not None:
            speaking.cancel()
            (outcome,) = await asyncio.gather(speaking, return_exceptions=True)
            if isinstance(outcome, Exception):
                raise StartupError(f"stdio ended: {outcome}") from outcome


def _config(app: ASGIApp, ledger: ConnectionLedger, *, lifespan: Literal["auto", "off"] = "auto") -> uvicorn.Config:
    return uvicorn.Config(
        app,
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=3,
        server_header=False,
        ws="none",
        lifespan=lifespan,
        http=bounded_protocol(ledger),
        proxy_headers=bool(ledger.trusted.named),
        forwarded_allow_ips=ledger.trusted.named,
    )


async def _speak_stdio(console: Console, mcp: McpServer, server: uvicorn.Server) -> None:
    """Serve one session on standard input and output; the console goes when it ends."""
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        await console.switchroom.serve_stdio(mcp)
    finally:
        server.should_exit = True


def announce(
    console: Console, base: str, console_base: str, link: str | None, *, with_sse: bool, to_stderr: bool
) -> None:
    """Tell the terminal where everything is; standard output is the wire where MCP speaks stdio."""
    version = importlib.metadata.version("switchroom")
    click.echo(f"Switchroom {version}  {', '.join(console.switchroom.directory.server_names)}", err=to_stderr)
    click.echo(f"  MCP      {base}{console.urls.mcp_path}", err=to_stderr)
    if with_sse:
        click.echo(f"  HTTP+SSE {base}/sse", err=to_stderr)
    click.echo(f"  Console  {console_base}{console.urls.prefix}/", err=to_stderr)
    if link is not None:
        click.echo(f"\nSign in with this link (once, within 10 minutes):\n  {link}\n", err=to_stderr)
    sys.stdout.flush()


@contextmanager
def demo_clients(url: str, count: int) -> Generator[None]:
    """Run the demo's clients in a process of their own for as long as the server runs."""
    if not count:
        yield
        return
    # It ends when its standard input closes, so it cannot outlive this process however that ends.
    process = subprocess.Popen(
        [sys.executable, "-m", "switchroom.server.demo", url, str(count)],
        stdin=subprocess.PIPE,
    )
    try:
        yield
    finally:
        if process.stdin is not None:
            process.stdin.close()
        try:
            process.wait(timeout=3)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
