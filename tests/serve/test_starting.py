"""What cannot start says so in one sentence that names the way out."""

from __future__ import annotations

import importlib.metadata
import socket
import time
from pathlib import Path

import httpx2
import pytest

from switchroom.server.tools import bundled_server
from tests.support.processes import failing_command, run_command, serving

SERVER = '''
from mcp.server.mcpserver import MCPServer

mine = MCPServer("mine")
number = 7


@mine.tool()
def add(a: int, b: int) -> int:
    """Add."""
    return a + b
'''


def one_line(text: str) -> str:
    assert "Traceback" not in text, text
    lines = [line for line in text.splitlines() if line]
    assert len(lines) == 1, text
    return lines[0]


def test_an_occupied_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        line = one_line(failing_command(tmp_path, "serve", "--port", str(port)))
    assert f"127.0.0.1:{port}" in line and "--port" in line


@pytest.mark.parametrize(
    ("db", "says"),
    [
        ("postgres://x", "sqlite:///file.db"),
        ("sqlite:////nowhere/at/all/x.db", "/nowhere"),
        ("sqlite:///folder", "folder"),
        ("sqlite:///text.db", "text.db"),
    ],
)
def test_an_unusable_database_is_explained(tmp_path: Path, db: str, says: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.db").write_text("not a database, " * 100)
    assert says in one_line(failing_command(tmp_path, "serve", "--port", "0", "--db", db))


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("missing.py:mcp", "missing.py"),
        ("mine.py:nobody", "nobody"),
        ("mine.py:number", "int"),
        ("no_such_module:mcp", "no_such_module"),
        ("broken.py:mcp", "ZeroDivisionError"),
        ("empty.py", "names no server"),
    ],
)
def test_an_unusable_target_is_explained(tmp_path: Path, target: str, says: str) -> None:
    (tmp_path / "mine.py").write_text(SERVER)
    (tmp_path / "broken.py").write_text("1 / 0")
    (tmp_path / "empty.py").write_text("")
    assert says in one_line(failing_command(tmp_path, "serve", target, "--port", "0"))


def test_limits_can_be_lifted_on_loopback_only(tmp_path: Path) -> None:
    line = one_line(failing_command(tmp_path, "serve", "--host", "0.0.0.0", "--port", "0", limits="off"))
    assert "SWITCHROOM_LIMITS" in line
    with serving(tmp_path, limits="off") as served:
        assert httpx2.get(f"{served.base}/readyz").status_code == 200


def test_listening_beyond_loopback_needs_an_operator(tmp_path: Path) -> None:
    line = one_line(failing_command(tmp_path, "serve", "--host", "0.0.0.0", "--port", "0"))
    assert "SWITCHROOM_ADMIN_PASSWORD" in line


def test_a_wrong_setting_names_itself(tmp_path: Path) -> None:
    line = one_line(failing_command(tmp_path, "serve", "--port", "0", idle_seconds="soon"))
    assert "SWITCHROOM_IDLE_SECONDS" in line and "soon" in line


def test_a_database_in_use_is_left_alone(tmp_path: Path) -> None:
    with serving(tmp_path):
        assert "in use" in one_line(failing_command(tmp_path, "serve", "--port", "0"))


def test_the_bundled_server_tells_clients_its_release() -> None:
    assert bundled_server().version == importlib.metadata.version("switchroom")


def test_a_server_of_ones_own_is_served(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(SERVER)
    with serving(tmp_path, "mine.py:mine") as served:
        assert "mine" in served.text
        assert httpx2.get(f"{served.base}/healthz").json() == {"status": "ok"}


def test_a_token_is_alone_on_the_last_line_with_and_without_a_server(tmp_path: Path) -> None:
    arguments = ("tokens", "create", "--role", "viewer", "--name")
    before = run_command(tmp_path, *arguments, "before").splitlines()[-1]
    with serving(tmp_path) as served:
        after = run_command(tmp_path, *arguments, "after").splitlines()[-1]
        for token in (before, after):
            assert token.startswith("sr_")
            headers = {"Authorization": f"Bearer {token}"}
            assert httpx2.get(f"{served.base}/api/v1/sessions", headers=headers).status_code == 200
        assert httpx2.get(f"{served.base}/api/v1/sessions").status_code == 401


def test_the_demo_brings_both_eras_to_life(tmp_path: Path) -> None:
    with serving(tmp_path, "--demo", "6") as served:
        headers = {"Authorization": f"Bearer {served.token('viewer')}"}
        with httpx2.Client(base_url=f"{served.base}/api/v1", headers=headers) as api:
            kinds: set[str] = set()
            end = time.monotonic() + 60
            while time.monotonic() < end:
                items = api.get("/sessions", params={"q": "state:live"}).json()["items"]
                kinds = {item["kind"] for item in items if item["request_count"]} if len(items) >= 6 else set()
                if kinds == {"streamable-http", "handle"}:
                    break
            assert kinds == {"streamable-http", "handle"}
