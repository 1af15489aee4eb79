"""Fixtures that every test gets."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """The loop async tests run on: uvicorn's and the engine's, no other is supported."""
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def no_settings_from_outside() -> None:
    """Keep the settings of whoever runs the tests out of them, in this process and in the servers it starts."""
    for name in [name for name in os.environ if name.startswith(("SWITCHROOM_", "FASTMCP_"))]:
        del os.environ[name]
