"""`switchroom doctor` without an id: the guide's troubleshooting list, in a running server."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.support.processes import COMMAND, environment, serving


def doctor(folder: Path, url: str, token: str) -> tuple[int, str]:
    done = subprocess.run(
        [*COMMAND, "doctor", "--url", url, "--token", token],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout


def test_each_item_is_fine_or_says_why_what_to_do_and_where(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        token = served.token("viewer")
        code, said = doctor(tmp_path, served.base, token)
        assert (code, said.count("fine")) == (0, 4), said
        for item in ("Session id not available", "Session state loss", "Memory leaks", "Authentication"):
            assert item in said
        (tmp_path / "switchroom.users.json").write_text("{")
        code, said = doctor(tmp_path, served.base, token)
        assert code == 1 and "NOT FINE  Authentication" in said
        assert "cannot be used" in said and f"{served.base}/admin/health" in said


def test_a_server_that_keeps_nothing_and_gives_no_ids_is_not_fine(tmp_path: Path) -> None:
    with serving(tmp_path, "--stateless") as served:
        code, said = doctor(tmp_path, served.base, served.token("viewer"))
    assert code == 1
    assert "NOT FINE  Session id not available" in said and "Serve without --stateless" in said
