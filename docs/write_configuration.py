"""Writes docs/configuration.md from `server/settings.py`: `make docs`; `--check` only compares."""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

from pydantic.fields import FieldInfo

from switchroom.server.settings import Settings

PAGE = Path(__file__).resolve().with_name("configuration.md")

HEAD = """\
# Configuration

Every setting is an argument of `switchroom.server.settings.Settings` and an environment variable. An argument wins
over the environment, the environment over a `.env` file in the working directory, and that over the default.
For `host`, `port`, `stateless_http`, `json_response`, `mount_path` and `streamable_http_path` the names of FastMCP
servers, `FASTMCP_HOST` and so on, are read as well, where the variable below is not set beside them.
`switchroom config` shows what is in force and where it comes from. `switchroom serve` has options for the ones set most
often.

This page is made from `server/settings.py` by `make docs`; a test compares them.

| variable | default | allowed | what it does |
| --- | --- | --- | --- |
"""


def _descriptions() -> dict[str, str]:
    """Return each field's docstring: the text that stands below it in the class."""
    source = ast.parse(textwrap.dedent(inspect.getsource(Settings)))
    (settings,) = source.body
    assert isinstance(settings, ast.ClassDef)
    found: dict[str, str] = {}
    for field, text in zip(settings.body, settings.body[1:], strict=False):
        match field, text:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(description))):
                found[name] = " ".join(description.split())
            case _:
                pass
    return found


def _default(field: FieldInfo) -> str:
    match field.default:
        case None | "":
            return "unset"
        case bool() as flag:
            return "`true`" if flag else "`false`"
        case value:
            return f"`{value}`"


def _allowed(field: FieldInfo) -> str:
    choices: tuple[object, ...] = getattr(field.annotation, "__args__", ())
    if choices and all(isinstance(choice, str) for choice in choices):
        return " or ".join(f"`{choice}`" for choice in choices)
    signs = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
    bounds = ((words, getattr(bound, sign, None)) for bound in field.metadata for sign, words in signs.items())
    return ", ".join(f"{words} {value}" for words, value in bounds if value is not None)


def rows() -> Iterator[str]:
    """Return one line of the table per setting, in the order of the class."""
    descriptions = _descriptions()
    for name, field in Settings.model_fields.items():
        cells = (f"`SWITCHROOM_{name.upper()}`", _default(field), _allowed(field), descriptions[name])
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def main() -> int:
    """Write the page, or say whether it is up to date; the exit status."""
    page = HEAD + "\n".join(rows()) + "\n"
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(page, "utf-8")
        return 0
    if PAGE.exists() and PAGE.read_text("utf-8") == page:
        return 0
    print("docs/configuration.md is behind server/settings.py: run `make docs`.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
