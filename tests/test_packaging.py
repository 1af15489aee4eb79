"""The distribution: what it holds, where that comes from, and what must never be in git."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.support.source import ROOT, files_in_git, imports, modules

DATA = {"templates": ".html", "server": ".sql"}
VENDORED = ("htmx.min.js", "hx-sse.min.js", "geist.woff2", "geist-mono.woff2")
LICENCES = ("htmx.LICENSE.txt", "geist.LICENSE.txt", "geist-mono.LICENSE.txt")


@pytest.fixture(scope="session")
def wheel_listing(tmp_path_factory: pytest.TempPathFactory) -> frozenset[str]:
    """Names of the files in a wheel built from what is in git, plus the assets this checkout has built."""
    place = tmp_path_factory.mktemp("wheel")
    for name in files_in_git():
        target = place / "checkout" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target, follow_symlinks=False)
    shutil.copytree(ROOT / "static" / "vendor", place / "checkout" / "static" / "vendor")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", place, place / "checkout"], check=True)
    (wheel,) = place.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return frozenset(archive.namelist())


def in_git(folder: str, *suffixes: str) -> set[str]:
    """Return the files in git below `folder` whose names end with one of `suffixes`."""
    return {name for name in files_in_git() if name.startswith(f"{folder}/") and name.endswith(suffixes)}


def test_every_sub_package_is_listed() -> None:
    listed = set(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["packages"])
    folders = {path.parent.relative_to(ROOT) for _, path in modules("server", "dashboard")}
    packages = {".".join(("switchroom", *folder.parts)) for folder in folders}
    assert listed == packages | {"switchroom.templates", "switchroom.static"}


def test_every_package_has_an_init_module() -> None:
    missing = [path for _, path in modules("server", "dashboard") if not (path.parent / "__init__.py").exists()]
    assert missing == []


@pytest.mark.parametrize("half", ["server", "dashboard"])
def test_the_wheel_holds_every_module(half: str, wheel_listing: frozenset[str]) -> None:
    assert {f"switchroom/{name}" for name in in_git(half, ".py", "py.typed")} - wheel_listing == set()


@pytest.mark.parametrize("folder", DATA)
def test_the_wheel_holds_templates_and_statements(folder: str, wheel_listing: frozenset[str]) -> None:
    names = in_git(folder, DATA[folder])
    assert names
    assert {f"switchroom/{name}" for name in names} - wheel_listing == set()


def test_the_wheel_holds_our_static_files(wheel_listing: frozenset[str]) -> None:
    names = in_git("static", "")
    assert names
    assert {f"switchroom/{name}" for name in names} - wheel_listing == set()


@pytest.mark.parametrize("name", VENDORED + LICENCES)
def test_the_wheel_holds_the_assets_and_their_licences(name: str, wheel_listing: frozenset[str]) -> None:
    assert f"switchroom/static/vendor/{name}" in wheel_listing


def test_the_wheel_installs_nothing_beside_switchroom(wheel_listing: frozenset[str]) -> None:
    assert {name.split("/")[0].partition("-")[0] for name in wheel_listing} == {"switchroom"}


def test_no_third_party_asset_is_in_git() -> None:
    suspects = (".min.js", ".min.css", ".woff", ".woff2", ".ttf", ".otf")
    found = [name for name in files_in_git() if name.endswith(suspects) or "node_modules" in Path(name).parts]
    assert found == []
    scripts = {name for name in files_in_git() if name.endswith((".js", ".css", ".mjs"))}
    assert {str(Path(name).parent) for name in scripts} == {"static", "tests/clients/drivers", "tests/browser/firefox"}


def test_the_lock_file_pins_checksums_and_names_no_host() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text("utf-8"))
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert {name.removeprefix("node_modules/") for name in packages} == set(lock["packages"][""]["dependencies"])
    assert all("integrity" in package and "resolved" not in package for package in packages.values())


def test_the_assets_are_pinned_to_exact_versions() -> None:
    dependencies: dict[str, str] = json.loads((ROOT / "package.json").read_text("utf-8"))["dependencies"]
    assert all(version.replace(".", "").isdecimal() for version in dependencies.values())


def test_only_public_names_of_the_sdk_are_imported() -> None:
    private = [
        f"{module}: {found.module} {found.names}"
        for module, path in modules("server", "dashboard")
        for found in imports(path)
        if found.module.split(".")[0] in {"mcp", "mcp_types"}
        and any(part.startswith("_") for part in (*found.module.split("."), *found.names))
    ]
    assert private == []


def test_the_distribution_imports_itself_relatively() -> None:
    absolute = [
        f"{module}: {found.module}"
        for module, path in modules("server", "dashboard")
        for found in imports(path)
        if not found.is_relative and found.module.split(".")[0] in {"switchroom", "server", "dashboard"}
    ]
    assert absolute == []
