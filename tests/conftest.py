"""Fixtures that every test gets, and the table of attacks at the end, whichever process ran them."""

from __future__ import annotations

import json
import os

import pytest

from tests.security.tally import OUTCOME, Outcome, table


class AttackTable:
    """Prints what `make attack` is for."""

    def __init__(self) -> None:
        self._outcomes: dict[str, Outcome] = {}
        """By module; a later report of it counts everything before."""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for name, value in report.user_properties:
            if name == OUTCOME:
                self._outcomes[report.nodeid.partition("::")[0]] = Outcome(*json.loads(str(value)))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._outcomes:
            terminalreporter.section("attacks")
            for line in table(self._outcomes.values()):
                terminalreporter.write_line(line)


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(AttackTable())


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """The loop async tests run on: uvicorn's and the engine's, no other is supported."""
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def no_settings_from_outside() -> None:
    """Keep the settings of whoever runs the tests out of them, in this process and in the servers it starts."""
    for name in [name for name in os.environ if name.startswith(("SWITCHROOM_", "FASTMCP_"))]:
        del os.environ[name]
