"""What every protocol test is held to."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

WATCHED = ("uvicorn", "switchroom", "asyncio")


@pytest.fixture(autouse=True)
def no_error_lines(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail a test that logs at ERROR; one that means to clears them after looking."""
    yield
    errors = [record for record in caplog.get_records("call") if record.levelno >= logging.ERROR]
    assert [record.getMessage() for record in errors if record.name.startswith(WATCHED)] == []
