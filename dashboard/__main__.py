"""`python -m switchroom.dashboard` is the command `switchroom`."""

from __future__ import annotations

from .cli import main

main()
