"""Servers to attack, and the table of what came of it."""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.security.tally import OUTCOME, Tally, Threats
from tests.support.processes import Served, serving

TARGET = Path(__file__).parent / "target.py"
SETTINGS = {"max_opened_per_minute": 1_000_000, "admin_password": "correct horse battery"}
"""The floods have servers of their own; here many clients come from one address."""

OWN_ERROR = re.compile(r'"level": "(ERROR|CRITICAL)", "logger": "(?!mcp\.|switchroom\.server\.transport\.kernel)')
"""A tool that raises is logged there with its trace, and is no fault of the server's."""

threats_key = pytest.StashKey[Threats]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash.setdefault(threats_key, Threats())


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that asks for no tokens; it must be alive after the module's last attack."""
    with serving(tmp_path_factory.mktemp("plain"), f"{TARGET}:plain", **SETTINGS) as served:
        yield served
        assert_alive(served)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that asks for access tokens."""
    with serving(tmp_path_factory.mktemp("guarded"), f"{TARGET}:guarded", **SETTINGS) as served:
        yield served
        assert_alive(served)


def assert_alive(served: Served) -> None:
    """Fail unless the process runs and has logged no error of its own."""
    assert served.process.poll() is None, served.text
    assert [line for line in served.output if OWN_ERROR.search(line)] == []


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Tally:
    """Where a test says what it tried and what came back; a test that says nothing counts as one case."""
    return tally_of(request.node)


def tally_of(item: pytest.Item) -> Tally:
    """Return the tally of a test's module, titled by the first sentence of its docstring."""
    title = item.module.__doc__ if isinstance(item, pytest.Function) else None
    return item.config.stash[threats_key].of(item.path.stem, title or "")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call" or report.failed:
        tally = tally_of(item)
        tally.close(report.passed)
        report.user_properties.append((OUTCOME, json.dumps(tally.outcome)))
    return report
