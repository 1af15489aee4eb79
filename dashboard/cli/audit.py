"""`switchroom audit`: proving that nobody has changed the audit log."""

from __future__ import annotations

import asyncio
import sys

import click

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


async def _first_broken(db: str) -> int | None:
    store = open_store(db, durability="interval", retention=Retention())
    await store.open()
    try:
        return await store.audit.verify()
    finally:
        await store.close()
