"""`switchroom users`: who may sign in with `secure_login`; not operators, who use the console.

They work on the users file itself, so they work while the server runs and while it does not.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from ...server.sign_in import UsersFile
from .accounts import ask_password
from .serve import load_settings

_file_option = click.option(
    "--file", metavar="PATH", help="The users file (default: SWITCHROOM_USERS_FILE or switchroom.users.json)."
)
_stdin_option = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input instead of asking."
)


@click.group()
def users() -> None:
    """People who may sign in with the tool secure_login."""


@users.command("add")
@click.argument("name")
@_stdin_option
@_file_option
def add_user(name: str, password_stdin: bool, file: str | None) -> None:
    """Add a user."""
    kept = _users(file)
    asyncio.run(kept.add(name, ask_password(password_stdin)))
    click.echo(f"User {name} may sign in; kept in {kept.path}.")


@users.command("list")
@_file_option
def list_users(file: str | None) -> None:
    """List every user."""
    for name in _users(file).names():
        click.echo(name)


@users.command("password")
@click.argument("name")
@_stdin_option
@_file_option
def set_user_password(name: str, password_stdin: bool, file: str | None) -> None:
    """Give a user a new password, which signs them out everywhere within seconds."""
    asyncio.run(_users(file).set_password(name, ask_password(password_stdin)))
    click.echo(f"User {name} has a new password.")


@users.command("remove")
@click.argument("name")
@_file_option
def remove_user(name: str, file: str | None) -> None:
    """Remove a user, which signs them out everywhere within seconds."""
    _users(file).remove(name)
    click.echo(f"User {name} is removed.")


def _users(file: str | None) -> UsersFile:
    return UsersFile(Path(load_settings(users_file=file).users_file))
