"""All commands in one group."""

from __future__ import annotations

import importlib.metadata

import click

from ...server.errors import SwitchroomError
from .accounts import operators, tokens
from .audit import audit
from .config import config
from .doctor import doctor
from .keys import keys
from .repair import backup, repair
from .serve import serve
from .users import users


class OneSentence(click.Group):
    """Shows a deliberate error as the sentence it is, without a trace."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            result: object = super().invoke(ctx)
        except SwitchroomError as error:
            raise click.ClickException(error.message) from None
        return result


def command_line() -> click.Group:
    """Return the command `switchroom`."""
    group = OneSentence(name="switchroom", help="An operator console for live MCP sessions.")
    click.version_option(importlib.metadata.version("switchroom"), prog_name="switchroom")(group)
    for command in (serve, tokens, operators, users, audit, doctor, keys, backup, repair, config):
        group.add_command(command)
    return group
