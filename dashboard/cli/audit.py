"""`switchroom audit`: proving that nobody has changed the audit log."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import click

from ...server.errors import StartupError
from ...server.store import open_store
from ...server.store.base import Retention
from .serve import load_settings


@click.group()
def audit() -> None:
    """Work with the audit log of a database that no server has open."""


@audit.command()
@click.option("--db", metavar="URL", help="Which database (default: sqlite:///switchroom.db).")
def verify(db: str | None) -> None:
    """Check the chain of the audit log; exit with 1 where it breaks.

    It finds rows that were changed, removed, put in or re-ordered, and a log that was cut off.
    """
    broken = asyncio.run(_first_broken(load_settings(db=db).db))
    if broken is None:
        click.echo("The audit log is whole.")
        return
    click.echo(f"The audit log is broken at row {broken}: it, or one before it, is not what was written.", err=True)
    sys.exit(1)


def event_file(db: str) -> Path | None:
    """Return the file of a database address; `None` where it names none."""
    path = db.removeprefix("sqlite:///")
    return Path(path) if path != db and path else None


async def _first_broken(db: str) -> int | None:
    path = event_file(db)
    if path is None or not path.is_file():
        raise StartupError(f"There is no database at {db}: name the one that the server uses with --db.")
    if not path.with_name(path.name + ".audit-key").is_file():
        raise StartupError(f"The key {path.name}.audit-key is not beside {path}: without it nothing can be verified.")
    store = open_store(db, durability="interval", retention=Retention())
    await store.open()
    try:
        return await store.audit.verify()
    finally:
        await store.close()
