"""Where templates and static files live, and the hash that makes their addresses permanent."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).resolve().parents[1]

TEMPLATES_DIR: Final = _ROOT / "templates"
STATIC_DIR: Final = _ROOT / "static"

STYLESHEETS: Final = (
    "app.css",
    "shell.css",
    "controls.css",
    "tables.css",
    "detail.css",
    "lists.css",
    "rules.css",
    "overlays.css",
    "narrow.css",
)
"""In the order of the page's head; each file fills the cascade layers that `app.css` declares."""

SCRIPTS: Final = (
    "console.js",
    "clock.js",
    "live.js",
    "dialogs.js",
    "selection.js",
    "follow.js",
    "playback.js",
    "suggest.js",
    "shortcuts.js",
    "vendor/htmx.min.js",
    "vendor/hx-sse.min.js",
)
"""Plain scripts, in this order and without `defer`: htmx starts before a deferred extension has
registered, and the page then never opens its stream."""

_MEDIA_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """One static file, read once at start-up."""

    body: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class Assets:
    """Every static file by its path below `static/`, and one hash over all of them."""

    files: dict[str, Asset]
    hash: str
    """Twelve hexadecimal digits; part of every static address, so a new release is never served from a cache."""

    @property
    def missing(self) -> list[str]:
        """Files the pages link to that are not there: the third-party ones before the build has run."""
        wanted = (*STYLESHEETS, *SCRIPTS, "vendor/geist.woff2", "vendor/geist-mono.woff2")
        return [name for name in wanted if name not in self.files]


def load_assets(directory: Path = STATIC_DIR) -> Assets:
    """Read the static files that have a known type; everything else (licences, stamps) is not served."""
    digest = hashlib.sha256()
    files: dict[str, Asset] = {}
    for path in sorted(directory.rglob("*")):
        media_type = _MEDIA_TYPES.get(path.suffix)
        if media_type is None or not path.is_file():
            continue
        name = path.relative_to(directory).as_posix()
        files[name] = Asset(path.read_bytes(), media_type)
        digest.update(name.encode() + b"\0" + files[name].body)
    return Assets(files, digest.hexdigest()[:12])
