"""The documents say what is so."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
import tomllib

import pytest
from starlette.routing import Route

from switchroom.dashboard.api import api_routers
from switchroom.server.filters import AUDIT_FIELDS
from switchroom.server.filters.fields import FIELDS
from switchroom.server.models import EventKind
from tests.support.source import ROOT, files_in_git, modules

ROW = re.compile(r"^\| `([^`]+)` \|", re.MULTILINE)
"""The first cell of a table's line."""

PAGES = [name for name in files_in_git() if name.endswith(".md")]


def makefile_targets() -> set[str]:
    """Return the targets that describe themselves."""
    return set(re.findall(r"^([a-z]+):.*## .+$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


def test_the_configuration_page_matches_the_settings() -> None:
    command = [sys.executable, "docs/write_configuration.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_filter_key_is_documented_in_order() -> None:
    assert ROW.findall((ROOT / "docs/filters.md").read_text("utf-8")) == [*FIELDS, *AUDIT_FIELDS]


def test_every_event_kind_is_documented() -> None:
    assert ROW.findall((ROOT / "docs/events.md").read_text("utf-8")) == [kind.value for kind in EventKind]


def test_every_request_of_the_api_is_documented() -> None:
    served: set[str] = set()
    for route in (route for router in api_routers() for route in router.routes if isinstance(route, Route)):
        path = re.sub(r"{(?:session|broadcast|token|sign_in|block|client)_id}", "{id}", route.path).replace(
            ":path}", "}"
        )
        served |= {f"{method} {path}" for method in (route.methods or set()) - {"HEAD"}}
    assert set(ROW.findall((ROOT / "docs/api.md").read_text("utf-8"))) == served


@pytest.mark.parametrize("page", PAGES)
def test_every_make_command_in_the_documents_exists(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    commands = re.findall(r"`make ([a-z]+)", text) + re.findall(r"^make ([a-z]+)", text, re.MULTILINE)
    assert set(commands) - makefile_targets() == set()


@pytest.mark.parametrize("command", ["make run", "make test"])
def test_the_readme_shows_the_commands_a_newcomer_needs(command: str) -> None:
    assert command in (ROOT / "README.md").read_text("utf-8").splitlines()


def test_what_the_readme_imports_is_there() -> None:
    code = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
    imported = [node for block in code for node in ast.walk(ast.parse(block)) if isinstance(node, ast.ImportFrom)]
    assert imported
    for node in imported:
        module = importlib.import_module(str(node.module))
        assert {alias.name for alias in node.names if not hasattr(module, alias.name)} == set()


def test_every_phony_target_describes_itself() -> None:
    (phony,) = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert set(phony.split()) == makefile_targets()


def test_the_changelog_names_the_version() -> None:
    version: str = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    headings = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert headings[0] == version


@pytest.mark.parametrize("page", PAGES)
def test_every_relative_link_leads_somewhere(page: str) -> None:
    folder = (ROOT / page).parent
    links = re.findall(r"\]\(([^)#\s]+)", (ROOT / page).read_text("utf-8"))
    broken = [link for link in links if "://" not in link and not (folder / link).exists()]
    assert broken == []


@pytest.mark.parametrize("half", ["server", "dashboard"])
def test_the_map_names_every_room_of_the_house(half: str) -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    rooms: set[str] = set()
    for module, path in modules(half):
        parts = module.split(".")
        if len(parts) > 1 and parts[1] != "__main__":
            rooms.add(f"`{parts[1]}/`" if path.parent.name == parts[1] or len(parts) > 2 else f"`{parts[1]}.py`")
    assert {room for room in rooms if room not in text} == set()


def test_every_threat_names_a_test_that_exists_and_every_attack_is_named() -> None:
    text = (ROOT / "docs/security.md").read_text("utf-8")
    rows = [line for line in text.splitlines() if re.match(r"\| (?!threat|---)", line)]
    assert len(rows) > 30
    assert [row for row in rows if "::test_" not in row] == []
    folder = ROOT / "tests/security"
    named = re.findall(r"`(test_\w+\.py)::(test_\w+)`", text)
    missing = [f"{file}::{test}" for file, test in named if f"def {test}(" not in (folder / file).read_text("utf-8")]
    assert missing == []
    assert {path.name for path in folder.glob("test_*.py")} - {file for file, _ in named} == set()


def test_each_promise_of_the_console_names_tests_that_exist() -> None:
    rows = re.findall(r"^\| (\d+) \|.*\|(.*)\|$", (ROOT / "tests/browser/README.md").read_text("utf-8"), re.MULTILINE)
    assert [int(number) for number, _ in rows] == list(range(1, 46))
    for number, cell in rows:
        named = re.findall(r"`(tests/\w+(?:/\w+)?\.py)::(test_\w+)`", cell)
        assert named and cell.count("`") == 2 * len(named), number
        missing = [f"{file}::{test}" for file, test in named if f"def {test}(" not in (ROOT / file).read_text("utf-8")]
        assert missing == [], number
