"""Reads the repository itself: its files, and what its modules import."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]


class Import(NamedTuple):
    """One import statement's target."""

    module: str
    """Absolute; inside the distribution as `server.…` or `dashboard.…`, without `switchroom.`."""
    names: tuple[str, ...]
    """What `from … import` takes; empty for a plain `import`."""
    is_relative: bool


def files_in_git() -> list[str]:
    """Return every file that is committed or would be, relative to the repository, with `/`."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return sorted(name for name in listing.split("\0") if name and (ROOT / name).exists())


def modules(*folders: str) -> Iterator[tuple[str, Path]]:
    """Return the dotted name and the path of each module below the folders (`server.store.base`)."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imports(path: Path) -> Iterator[Import]:
    """Return what the module at `path` imports, wherever in it the statement stands."""
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, (), False) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield Import(module, tuple(alias.name for alias in node.names), node.level > 0)
