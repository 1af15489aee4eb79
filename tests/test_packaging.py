"""The distribution: what it holds, where that comes from, and what must never be in git."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from pathlib import Path
from urllib.parse import urljoin

import httpx2
import pytest

from tests.support.processes import run_inside
from tests.support.source import ROOT, files_in_git, imports, modules

DATA = {"templates": ".html", "server": ".sql"}
VENDORED = ("htmx.min.js", "hx-sse.min.js", "geist.woff2", "geist-mono.woff2")
LICENCES = ("htmx.LICENSE.txt", "geist.LICENSE.txt", "geist-mono.LICENSE.txt")


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from what is in git, plus the assets this checkout has built."""
    place = tmp_path_factory.mktemp("wheel")
    for name in files_in_git():
        target = place / "checkout" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target, follow_symlinks=False)
    shutil.copytree(ROOT / "static" / "vendor", place / "checkout" / "static" / "vendor")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", place, place / "checkout"], check=True)
    (built,) = place.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def wheel_listing(wheel: Path) -> frozenset[str]:
    """Names of the files in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return frozenset(archive.namelist())


def installed(wheel: Path, place: Path) -> str:
    """Install the wheel into a new environment, with no index to ask, and return its Python.

    What the wheel needs is taken from this environment, but not this environment's Switchroom.
    """
    venv.create(place, with_pip=False)
    python = str(place / "bin" / "python")
    command = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-index", "--no-deps"]
    subprocess.run([*command, wheel], check=True)
    (packages,) = place.glob("lib/python*/site-packages")
    (packages / "needed.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return python


def linked(text: str, address: str) -> set[str]:
    """Return the addresses of the files that a page or a stylesheet at `address` refers to."""
    found = re.findall(r'(?:href|src)="([^"]+/static/[^"]+)"|url\("([^")]+\.woff2)"\)', text)
    return {urljoin(address, html.unescape(page or style)) for page, style in found}


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


def test_a_wheel_installed_without_a_network_serves_every_asset(wheel: Path, tmp_path: Path) -> None:
    python = installed(wheel, tmp_path / "environment")
    command = [python, "-P", "-m", "switchroom.dashboard", "serve", "--port", "0"]
    served = run_inside(command, tmp_path, admin_password="a good long password")
    try:
        with httpx2.Client(base_url=served.base, headers={"Origin": served.base}, follow_redirects=True) as http:
            who = {"operator": "admin", "password": "a good long password"}
            page = http.post("/admin/login", data=who).raise_for_status()
            files = linked(page.text, str(page.url))
            styles = {address for address in files if address.endswith(".css")}
            files |= {address for style in styles for address in linked(http.get(style).text, style)}
            answers = {address: http.get(address) for address in files}
    finally:
        served.stop()
    names = {address.partition("/static/")[2].partition("/")[2] for address in files}
    assert {f"vendor/{name}" for name in VENDORED} <= names and {"app.css", "console.js", "icon.svg"} <= names
    for address, answer in answers.items():
        local = ROOT / "static" / address.partition("/static/")[2].partition("/")[2]
        assert answer.status_code == 200 and answer.content == local.read_bytes(), address


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
