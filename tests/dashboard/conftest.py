from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.console import Console, running_console


@pytest.fixture
async def api() -> AsyncIterator[Console]:
    """The sign-in pages and the JSON API round a real engine with its store in memory."""
    async with running_console() as running:
        yield running
