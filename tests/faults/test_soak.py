"""The soak, in short: the long one is `make soak`."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.soak import soak

pytestmark = [pytest.mark.anyio, pytest.mark.fault]


async def test_nothing_is_missing_after_a_short_soak(tmp_path: Path) -> None:
    account = await soak(tmp_path, seconds=16, kills=2)
    assert account.missing == []
    assert account.calls > 100
