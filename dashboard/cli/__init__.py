"""The command line: `switchroom serve`, and what needs no running server."""

from __future__ import annotations

import gc


def main() -> None:
    """Run the command line."""
    # Nothing that importing makes is garbage, then or later: to look for it takes a tenth of the start, and would make
    # every full collection of a running server longer.
    gc.disable()
    from .group import command_line

    gc.freeze()
    gc.enable()
    command_line()()
