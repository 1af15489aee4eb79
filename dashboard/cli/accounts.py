"""`switchroom tokens` and `switchroom operators`: who may use the console and its API.

They work on the accounts file itself, so they work while the server runs and while it does not. What they
change is in the audit log as soon as a server runs.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import click

from ...server.accounts import MIN_PASSWORD_LENGTH, Accounts, ApiToken, Operator
from ...server.errors import StartupError
from ...server.models import Role
from ..urls import Urls
from .changing import change, on_accounts

_DURATION: Final = re.compile(r"(?P<number>[1-9][0-9]{0,4})(?P<unit>[mhdw])")
_UNITS: Final = {"m": 60, "h": 3_600, "d": 86_400, "w": 7 * 86_400}

_db_option = click.option(
    "--db", metavar="URL", help="The server's database (default: SWITCHROOM_DB or sqlite:///switchroom.db)."
)
_role_option = click.option(
    "--role",
    type=click.Choice([role.value for role in Role]),
    required=True,
    help="viewer reads, operator acts, admin may do everything.",
)


class Duration(click.ParamType[float]):
    """A time such as `90m`, `12h`, `30d` or `4w`, as seconds."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        match = _DURATION.fullmatch(str(value))
        if match is None:
            self.fail(f"{value!r} is not a time: write 90m, 12h, 30d or 4w.", param, ctx)
        return float(int(match["number"]) * _UNITS[match["unit"]])


@click.group()
def tokens() -> None:
    """API tokens for scripts."""


@tokens.command("create")
@click.option("--name", required=True, help="What it is for; shown in the audit log.")
@_role_option
@click.option("--expires", type=Duration(), metavar="TIME", help="When it ends, for example 30d (default: never).")
@_db_option
def create_token(name: str, role: str, expires: float | None, db: str | None) -> None:
    """Make a token and print it, alone on the last line. It is not shown again."""
    secret, token = change(
        db,
        "create_token",
        name,
        lambda accounts: accounts.tokens.create(name, Role(role), expires_in=expires),
        lambda made: {"token": made[1].id, "role": role, "expires_in": expires},
    )
    click.echo(f"Token {token.id} ({token.name}), role {token.role.value}, {_ending(token)}. Keep it now:")
    click.echo(secret)


@tokens.command("list")
@_db_option
def list_tokens(db: str | None) -> None:
    """List every token, without its secret."""
    rows = on_accounts(db, lambda accounts: accounts.tokens.all())
    print_table(
        ("ID", "NAME", "ROLE", "CREATED", "LAST USED", "STATE"),
        [
            (each.id, each.name, each.role.value, _when(each.created_at), _when(each.last_used_at), _ending(each))
            for each in rows
        ],
    )


@tokens.command("revoke")
@click.argument("id_or_name")
@_db_option
def revoke_token(id_or_name: str, db: str | None) -> None:
    """Make a token invalid at once; its live streams end within seconds."""
    token = change(
        db,
        "revoke_token",
        id_or_name,
        lambda accounts: accounts.tokens.revoke(id_or_name),
        lambda revoked: {"token": revoked.id, "name": revoked.name},
    )
    click.echo(f"Token {token.id} ({token.name}) is revoked.")


@click.group()
def operators() -> None:
    """People who may sign in to the console."""


@operators.command("add")
@click.argument("name")
@_role_option
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of asking.")
@_db_option
def add_operator(name: str, role: str, password_stdin: bool, db: str | None) -> None:
    """Add an operator."""
    password = ask_password(password_stdin)
    operator = change(
        db,
        "add_operator",
        name,
        lambda accounts: accounts.operators.add(name, Role(role), password),
        lambda _: {"role": role, "by": "password"},
    )
    click.echo(f"Operator {operator.name} may sign in with role {operator.role.value}.")


@operators.command("list")
@_db_option
def list_operators(db: str | None) -> None:
    """List every operator."""
    rows = on_accounts(db, lambda accounts: accounts.operators.all())
    print_table(
        ("NAME", "ROLE", "CREATED", "LAST SIGN-IN", "STATE"),
        [
            (each.name, each.role.value, _when(each.created_at), _when(each.last_sign_in_at), _state(each))
            for each in rows
        ],
    )


@operators.command("disable")
@click.argument("name")
@_db_option
def disable_operator(name: str, db: str | None) -> None:
    """Keep an operator out; sign-ins and live streams end within seconds."""
    operator = change(db, "disable_operator", name, lambda accounts: accounts.operators.set_disabled(name, True))
    click.echo(f"Operator {operator.name} is disabled.")


@operators.command("enable")
@click.argument("name")
@_db_option
def enable_operator(name: str, db: str | None) -> None:
    """Let a disabled operator sign in again."""
    operator = change(db, "enable_operator", name, lambda accounts: accounts.operators.set_disabled(name, False))
    click.echo(f"Operator {operator.name} may sign in again.")


@operators.command("role")
@click.argument("name")
@_role_option
@_db_option
def set_role(name: str, role: str, db: str | None) -> None:
    """Give an operator another role; it holds at once."""
    operator = change(
        db,
        "set_role",
        name,
        lambda accounts: accounts.operators.set_role(name, Role(role)),
        lambda changed: {"to": changed.role.value},
    )
    click.echo(f"Operator {operator.name} has the role {operator.role.value}.")


@operators.command("link")
@click.argument("name")
@click.option("--url", default="http://127.0.0.1:8000/admin", show_default=True, help="Where the console is.")
@_db_option
def make_link(name: str, url: str, db: str | None) -> None:
    """Print a link, alone on the last line, that signs an operator in once within ten minutes."""

    async def make(accounts: Accounts) -> str:
        operator = await accounts.operators.named(name)
        if operator.is_disabled:
            raise StartupError(f"{operator.name} is disabled: enable the operator first.")
        return await accounts.links.create(operator.name)

    secret = change(db, "make_link", name, make)
    click.echo("Whoever opens it first is signed in:")
    click.echo(url.rstrip("/") + Urls("").link(secret))


@operators.command("sign-ins")
@_db_option
def list_sign_ins(db: str | None) -> None:
    """List the browsers that are signed in now."""
    rows = on_accounts(db, lambda accounts: accounts.sign_ins.open())
    print_table(
        ("ID", "OPERATOR", "FROM", "SINCE", "LAST ACT"),
        [(each.id, each.operator, each.address, _when(each.created_at), _when(each.seen_at)) for each in rows],
    )


@operators.command("end")
@click.argument("sign_in_id")
@_db_option
def end_sign_in(sign_in_id: str, db: str | None) -> None:
    """End one browser's sign-in; its live streams end within seconds."""
    ended = change(
        db,
        "end_operator_sign_in",
        sign_in_id,
        lambda accounts: accounts.sign_ins.end_by_id(sign_in_id),
        lambda over: {"operator": over.operator, "address": over.address},
    )
    click.echo(f"The sign-in of {ended.operator} from {ended.address} is over.")


@operators.command("password")
@click.argument("name")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of asking.")
@_db_option
def set_password(name: str, password_stdin: bool, db: str | None) -> None:
    """Set a new password, which ends the operator's sign-ins."""
    password = ask_password(password_stdin)
    operator = change(db, "change_password", name, lambda accounts: accounts.operators.set_password(name, password))
    click.echo(f"Operator {operator.name} has a new password.")


def ask_password(from_stdin: bool) -> str:
    """Return a new password, asked for twice, or read as it is from standard input."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    prompt = f"Password ({MIN_PASSWORD_LENGTH} characters or more)"
    password: str = click.prompt(prompt, hide_input=True, confirmation_prompt=True)
    return password


def _ending(token: ApiToken) -> str:
    if token.revoked_at is not None:
        return f"revoked {_when(token.revoked_at)}"
    if token.expires_at is None:
        return "does not expire"
    return f"{'expires' if token.is_valid(time.time()) else 'expired'} {_when(token.expires_at)}"


def _state(operator: Operator) -> str:
    if operator.is_disabled:
        return "disabled"
    return "may sign in" if operator.has_password else "one-time link only"


def _when(at: float | None) -> str:
    return "never" if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows below their heads, in columns."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    for row in (head, *rows):
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
