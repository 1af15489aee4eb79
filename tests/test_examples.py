"""Every example in docs/examples does what it says, and the pages show what the examples hold."""

from __future__ import annotations

import doctest
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.examples import ERAS, OPTIONS, conversation, is_script, play
from tests.support.processes import environment
from tests.support.source import ROOT

FOLDER = ROOT / "docs" / "examples"
SERVERS = [path.stem for path in sorted(FOLDER.glob("*.py")) if not is_script(path)]
SCRIPTS = [path.stem for path in sorted(FOLDER.glob("*.py")) if is_script(path)]
SHOWN = re.compile(r"\(examples/(\w+\.py)\)[^\n]*\n\n```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
"""A block of code below a line that links to the example it is taken from."""


@pytest.mark.anyio
@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("name", SERVERS)
async def test_an_example_answers_as_it_says(name: str, era: str, tmp_path: Path) -> None:
    assert await play(FOLDER / f"{name}.py", era, tmp_path) == []


@pytest.mark.parametrize("name", SERVERS)
def test_an_example_tells_a_conversation(name: str) -> None:
    text = (FOLDER / f"{name}.py").read_text("utf-8")
    assert list(conversation(text.split('"""')[1]))


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_prints_what_it_says(name: str, tmp_path: Path) -> None:
    path = FOLDER / f"{name}.py"
    _, _, expected = path.read_text("utf-8").split('"""')[1].partition("Prints:\n")
    done = subprocess.run(
        [sys.executable, str(path)], cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert expected.strip()
    assert doctest.OutputChecker().check_output(expected.strip() + "\n", done.stdout, OPTIONS), done.stdout


@pytest.mark.parametrize("page", sorted(path.name for path in (ROOT / "docs").glob("*.md")))
def test_what_a_page_shows_of_an_example_is_in_it(page: str) -> None:
    for name, block in SHOWN.findall((ROOT / "docs" / page).read_text("utf-8")):
        assert block.strip() in (FOLDER / name).read_text("utf-8"), f"{name} does not hold:\n{block}"
