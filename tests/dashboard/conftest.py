from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import pytest

from tests.support.console import Console, running_console
from tests.support.pages import running_pages


@pytest.fixture
async def api() -> AsyncIterator[Console]:
    """The sign-in pages and the JSON API round a real engine with its store in memory."""
    async with running_console() as running:
        yield running


@pytest.fixture
async def console() -> AsyncIterator[Console]:
    """The console as shipped, beside the bundled server with its store in memory."""
    async with running_pages() as running:
        yield running


@pytest.fixture
async def browser(console: Console) -> httpx2.AsyncClient:
    """A browser in which an operator has signed in."""
    return await console.signed_in()
