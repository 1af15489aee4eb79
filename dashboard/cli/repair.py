"""`switchroom repair` and `switchroom backup`: the files of a server, when something happens to them."""

from __future__ import annotations

from pathlib import Path

import click

from ...server.errors import StartupError
from ...server.store.sqlite.backup import back_up
from ...server.store.sqlite.salvage import salvage
from .audit import event_file
from .serve import load_settings

_DATABASE = click.option("--db", metavar="URL", help="Which database (default: sqlite:///switchroom.db).")


@click.command()
@_DATABASE
def repair(db: str | None) -> None:
    """Copy what a damaged database still holds into a new one; the server is stopped.

    The damaged file is kept beside it. Nothing is deleted.
    """
    saved = salvage(_file(load_settings(db=db).db))
    for table, count in saved.rows.items():
        note = "  (some rows could not be read)" if table in saved.broken else ""
        click.echo(f"{count:>10,}  {table}{note}")
    click.echo(f"The damaged database is kept as {saved.damaged}. Start the server again.")
    if saved.broken:
        click.echo("switchroom audit verify says whether the audit log is whole.")


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@_DATABASE
def backup(folder: Path, db: str | None) -> None:
    """Copy a server's files into FOLDER, which must be new or empty; the server may go on running.

    The keys that seal secret values are a setting and are not in it.
    """
    for path in back_up(_file(load_settings(db=db).db), folder):
        click.echo(path)


def _file(db: str) -> Path:
    path = event_file(db)
    if path is None:
        raise StartupError(f"{db} names no file: this works on an SQLite database.")
    return path
