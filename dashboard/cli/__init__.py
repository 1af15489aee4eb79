"""The command line: `switchroom serve`, and what needs no running server."""

from __future__ import annotations

import gc

_THRESHOLDS = (10_000, 20, 10)
"""Containers more than before, young collections, older ones. With Python's own 700, 10, 10 a full collection comes
every few thousand sessions, and takes a tenth of a second with ten thousand of them: every call waits that long."""


def main() -> None:
    """Run the command line."""
    # Nothing that importing makes is garbage, then or later: to look for it takes a tenth of the start, and would make
    # every full collection of a running server longer.
    gc.disable()
    from .group import command_line

    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
    gc.enable()
    command_line()()
