"""`switchroom config`: every setting as it is in force here, and where it comes from."""

from __future__ import annotations

import os

import click
from pydantic import SecretStr

from ...server.settings import Settings, sources_of
from .accounts import print_table
from .serve import load_settings, warn_unknown

_SECRET = frozenset({"admin_password", "secret_keys"})


@click.command()
@click.option("--host", help="As serve takes it.")
@click.option("--port", type=int, help="As serve takes it.")
@click.option("--db", help="As serve takes it.")
def config(host: str | None, port: int | None, db: str | None) -> None:
    """Show every setting in force here and where it comes from; secrets are masked."""
    given = {name: value for name, value in (("host", host), ("port", port), ("db", db)) if value is not None}
    settings = load_settings(**given)
    sources = sources_of(given)
    rows = [(name, _shown(settings, name), sources.get(name, "default")) for name in Settings.model_fields]
    print_table(("SETTING", "VALUE", "SOURCE"), rows)
    warn_unknown(os.environ)


def _shown(settings: Settings, name: str) -> str:
    value: object = getattr(settings, name)
    if value in (None, ""):
        return "unset"
    if name in _SECRET or isinstance(value, SecretStr):
        return "********"
    return str(value).lower() if isinstance(value, bool) else str(value)
