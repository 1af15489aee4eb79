"""One served console for each module, and the way to a session's page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.processes import Served, serving


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("served")) as running:
        yield running
