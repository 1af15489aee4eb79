"""Who may import whom. Arrows point down: a module imports from its own floor or from those below it."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from tests.support.source import imports, modules

FLOORS: dict[str, tuple[frozenset[str], ...]] = {
    "server": (
        frozenset({"attempts", "errors", "ids", "logs", "served", "marks", "models", "sealing", "settings"})
        | {"token_guards"},
        frozenset({"filters", "recordview"}),
        frozenset({"accounts", "bus", "store"}),
        frozenset({"engine", "event_store", "rotation"}),
        frozenset({"current"}),
        frozenset({"transport"}),
        frozenset({"modern"}),
        frozenset({"data", "directory", "recorder", "resources", "sign_in"}),
        frozenset({"operations", "tools"}),
        frozenset({"attach", "demo", "entries", "foreign", "mounts", "shutdown", "tracing"}),
    ),
    "dashboard": (
        frozenset(
            {
                "assets",
                "attempts",
                "charts",
                "cursors",
                "exports",
                "exposition",
                "first_run",
                "followers",
                "formatting",
                "highlight",
            }
        )
        | {"hosts", "jsontext", "problems", "returning", "urls", "visible", "wording"},
        frozenset({"contexts", "guard", "nav_counts", "templating"}),
        frozenset({"auth", "errors", "queries", "rendering"}),
        frozenset(
            {
                "attention",
                "call_data",
                "client_rows",
                "compose",
                "confirming",
                "deps",
                "forms",
                "health_data",
                "operator_data",
            }
        )
        | {"bulk_forms", "key_forms", "limit_forms", "overview_data", "session_panels", "timeline_data"}
        | {"log_data", "playback_data", "replaying"}
        | {"checkup", "rule_forms"},
        frozenset({"frames"}),
        frozenset({"actions", "api", "live", "metrics", "pages"}),
        frozenset({"site"}),
        frozenset({"app"}),
        frozenset({"cli"}),
    ),
}
"""Lowest floor first: the first part of a module's name below `server` or `dashboard`."""

ONLY_IN = {
    "mcp.server.runner": ("server.transport.kernel",),
    "mcp.server.connection": ("server.transport.kernel",),
    "sqlite3": ("server.store", "server.accounts"),
    "argon2": ("server.accounts",),
    "cryptography": ("server.sealing",),
    "jinja2": ("dashboard.templating",),
    "uvicorn": ("dashboard.cli",),
    "h11": ("dashboard.cli",),
    "click": ("dashboard.cli",),
}
"""A library that one room of the house owns."""

NEVER_IN_SERVER = ("dashboard", "switchroom.dashboard", "fastapi", "jinja2", "sse_starlette", "click")


def floor_of(module: str) -> int:
    """Return the floor of a module of the distribution; the package itself stands above them all."""
    half, _, rest = module.partition(".")
    room = rest.partition(".")[0]
    if room in {"", "__main__"}:
        return len(FLOORS[half])
    for number, rooms in enumerate(FLOORS[half]):
        if room in rooms:
            return number
    raise LookupError(f"{half}/{room} has no floor")


def is_below(module: str, package: str) -> bool:
    """Whether `module` is `package` or inside it."""
    return module == package or module.startswith(package + ".")


def targets(half: str) -> Iterator[tuple[str, str]]:
    """Return (importing module, imported module), with the room named where `from .. import room` is used."""
    for module, path in modules(half):
        for found in imports(path):
            if found.module in FLOORS:
                yield from ((module, f"{found.module}.{name}") for name in found.names)
            else:
                yield module, found.module


@pytest.mark.parametrize("half", FLOORS)
def test_every_module_has_its_floor(half: str) -> None:
    rooms = {module.split(".")[1] for module, _ in modules(half) if "." in module} - {"__main__"}
    assert rooms - frozenset().union(*FLOORS[half]) == set()


@pytest.mark.parametrize("half", FLOORS)
def test_imports_point_down(half: str) -> None:
    upward = [
        f"{module} imports {target}"
        for module, target in targets(half)
        if is_below(target, half) and floor_of(target) > floor_of(module)
    ]
    assert upward == []


def test_the_server_half_works_without_the_console() -> None:
    wrong = [
        f"{module} imports {target}"
        for module, target in targets("server")
        if any(is_below(target, name) for name in NEVER_IN_SERVER)
    ]
    assert wrong == []


@pytest.mark.parametrize("room", ["models", "errors", "ids"])
def test_the_vocabulary_imports_only_the_standard_library(room: str) -> None:
    own = {target for module, target in targets("server") if module == f"server.{room}"}
    foreign = {target for target in own if target.split(".")[0] not in sys.stdlib_module_names}
    assert all(is_below(target, "server") for target in foreign)


@pytest.mark.parametrize("library", ONLY_IN)
def test_a_library_stays_in_the_room_that_owns_it(library: str) -> None:
    elsewhere = [
        module
        for half in FLOORS
        for module, target in targets(half)
        if is_below(target, library) and not any(is_below(module, owner) for owner in ONLY_IN[library])
    ]
    assert elsewhere == []


def test_nothing_imports_the_composition_root() -> None:
    importers = {module for module, target in targets("dashboard") if is_below(target, "dashboard.app")}
    assert all(is_below(module, "dashboard.cli") or module == "dashboard" for module in importers)
