"""`switchroom keys`: making the keys that seal secrets, and moving everything to the newest one."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import click

from ...server.errors import StartupError
from ...server.rotation import Rotation
from ...server.rotation import rotate as rotate_store
from ...server.sealing import KeyRing, make_key
from ...server.store import open_store
from .audit import event_file
from .calling import ask
from .serve import load_settings

_PATH = "/api/v1/key-rotations"
_HOW = "make one with switchroom tokens create --name keys --role admin"
_SECONDS = 600.0


@click.group()
def keys() -> None:
    """Keys that seal secret values."""


@keys.command()
@click.option("--id", "key_id", metavar="ID", help="What to call it (default: k1, or one more than the newest).")
def new(key_id: str | None) -> None:
    """Print a new key for SWITCHROOM_SECRET_KEYS.

    The key goes to standard output alone, and is stored nowhere: keep it where the server's other secrets are.
    """
    present = load_settings().secret_keys
    ids = KeyRing.of(present.get_secret_value()).ids if present is not None else []
    click.echo(make_key(key_id or _next_id(ids)))
    if ids:
        note = "Put it before the others, with a comma, start the server again, then: switchroom keys rotate"
    else:
        note = "Set SWITCHROOM_SECRET_KEYS to this line. Without it, what it sealed cannot be opened again."
    click.echo(note, err=True)


@keys.command()
@click.option("--db", metavar="URL", help="Which database (default: sqlite:///switchroom.db).")
@click.option("--url", help="Let the server that runs there do it, instead of opening the database.")
@click.option("--token", envvar="SWITCHROOM_TOKEN", help="An API token of an admin, with --url (or SWITCHROOM_TOKEN).")
def rotate(db: str | None, url: str | None, token: str | None) -> None:
    """Seal every secret again under the first key of SWITCHROOM_SECRET_KEYS.

    It may be stopped and started again at any time. When it reports nothing unopened, the older keys can be removed.
    """
    done = _by_server(url, token) if url is not None else asyncio.run(_in_file(db))
    click.echo(f"Sealed with {done.key_id} now: {done.values:,} stored keys, {done.events:,} events of the log.")
    if done.changed:
        click.echo(f"Changed meanwhile, and under {done.key_id} by that: {done.changed:,}.")
    if done.unopened:
        raise StartupError(
            f"{done.unopened:,} secrets were left as they are, because no key of the ring opens them: "
            "put the key they were sealed with back into SWITCHROOM_SECRET_KEYS, at the end, and rotate again."
        )


async def _in_file(db: str | None) -> Rotation:
    settings = load_settings(db=db)
    ring = KeyRing.of(settings.secret_keys.get_secret_value() if settings.secret_keys is not None else None)
    if not ring.is_lasting:
        raise StartupError("SWITCHROOM_SECRET_KEYS is not set: put the newest key first, and the older ones after it.")
    path = event_file(settings.db)
    if path is None or not path.is_file():
        raise StartupError(f"There is no database at {settings.db}: name the one that the server uses with --db.")
    store = open_store(settings.db)
    try:
        await store.open()
    except StartupError as error:
        if "in use by another process" not in error.message:
            raise
        raise StartupError(
            f"{path} is in use by a running server: start that one with the new key first in SWITCHROOM_SECRET_KEYS, "
            "and let it rotate: switchroom keys rotate --url http://127.0.0.1:8000 --token TOKEN"
        ) from error
    try:
        return await rotate_store(store, ring)
    finally:
        await store.close()


def _by_server(url: str, token: str | None) -> Rotation:
    if not token:
        raise StartupError(f"An API token of an admin is needed: give --token or set SWITCHROOM_TOKEN, or {_HOW}.")
    found: dict[str, Any] = ask(url, token, _PATH, None, how=_HOW, member="key_id", timeout=_SECONDS)
    return Rotation(str(found["key_id"]), *(int(found[name]) for name in ("values", "events", "changed", "unopened")))


def _next_id(ids: list[str]) -> str:
    """Return `k1`, or the newest id with its number counted up."""
    if not ids:
        return "k1"
    match = re.fullmatch(r"(.*?)(\d+)", ids[0])
    proposed = f"{match[1]}{int(match[2]) + 1}" if match is not None else f"{ids[0]}2"
    return proposed if proposed not in ids else _next_id([proposed, *ids])
