"""The bench runs and reports; its figures are for people."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bench.__main__ import MEASURES
from tests.support.source import ROOT


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the smallest run wrote."""
    page: Path = tmp_path_factory.mktemp("bench") / "benchmarks.md"
    sizes = ["--rounds", "1", "--seconds", "0.3", "--sessions", "24", "--many", "30", "--streams", "16"]
    sizes += [
        "--audience",
        "24",
        "--live",
        "100",
        "--kept",
        "200",
        "--samples",
        "2",
        "--calls",
        "50",
        "--output",
        str(page),
    ]
    done = subprocess.run(
        [sys.executable, "-m", "bench", *sizes], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return page.read_text("utf-8")


@pytest.mark.parametrize("contestant", ["bare SDK", "SDK + in-memory event store", "fastmcp 4", "Switchroom"])
def test_the_report_has_figures_of_every_contestant(contestant: str, report: str) -> None:
    assert f"| {contestant}" in report


@pytest.mark.parametrize("section", MEASURES)
def test_every_section_is_in_the_report(section: str, report: str) -> None:
    assert f"(`{section}`)" in report


@pytest.mark.parametrize("goal", ["calls per second at 16 connections, to the bare SDK", "memory of a held GET stream"])
def test_the_report_opens_with_the_distance_to_each_goal(goal: str, report: str) -> None:
    verdicts = report.partition("## Throughput")[0]
    assert f"| {goal} |" in verdicts
