"""Static files: permanent addresses, nothing served that is not listed, nobody turned away."""

from __future__ import annotations

from pathlib import Path

import pytest

from switchroom.dashboard.assets import SCRIPTS, STATIC_DIR, STYLESHEETS, load_assets
from switchroom.dashboard.urls import Urls
from tests.support.pages import running_pages


def test_every_file_the_pages_link_to_is_there() -> None:
    assert load_assets().missing == []
    own = [name for name in (*STYLESHEETS, *SCRIPTS) if not name.startswith("vendor/")]
    assert all((STATIC_DIR / name).is_file() for name in own)


def test_the_hash_changes_with_any_byte(tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text("a")
    before = load_assets(tmp_path).hash
    (tmp_path / "a.css").write_text("b")
    assert load_assets(tmp_path).hash != before


def test_unknown_kinds_of_files_are_not_served(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("x")
    assert load_assets(tmp_path).files == {}


@pytest.mark.anyio
async def test_a_file_is_immutable_under_its_hash_and_open_to_everybody() -> None:
    async with running_pages() as console:
        browser, current = console.browser(), console.app.state.urls
        found = await browser.get(current.static("app.css"))
        assert found.status_code == 200 and "immutable" in found.headers["cache-control"]
        assert found.headers["content-type"] == "text/css; charset=utf-8"
        old = await browser.get(Urls("/admin", "000000000000").static("app.css"))
        assert old.status_code == 200 and old.headers["cache-control"] == "no-store"


@pytest.mark.anyio
@pytest.mark.parametrize("name", ["nothing.css", "../pyproject.toml", "%2e%2e/pyproject.toml", "vendor/"])
async def test_nothing_else_can_be_reached(name: str) -> None:
    async with running_pages() as console:
        answer = await console.browser().get(f"/admin/static/x/{name}")
        assert answer.status_code == 404
