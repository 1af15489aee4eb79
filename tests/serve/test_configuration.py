"""Where settings come from, what is said about wrong ones, and what the server says of itself."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.clients import connected
from tests.support.processes import COMMAND, environment, failing_command, serving

pytestmark = pytest.mark.anyio


def configured(folder: Path, *arguments: str, **variables: str) -> tuple[dict[str, list[str]], str]:
    """Return `switchroom config` as value and source by setting, and what it printed to standard error."""
    done = subprocess.run(
        [*COMMAND, "config", *arguments],
        cwd=folder,
        env={**environment(), **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines()[1:]}, done.stderr


def test_an_argument_wins_over_our_variable_over_the_guides_over_the_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("SWITCHROOM_DB=memory:\nFASTMCP_JSON_RESPONSE=true\nFASTMCP_PORT=1\n")
    variables = {"FASTMCP_PORT": "7001", "SWITCHROOM_HOST": "127.0.0.2", "FASTMCP_HOST": "127.0.0.3"}
    shown, _ = configured(tmp_path, **variables)
    assert shown["port"] == ["7001", "FASTMCP_PORT"]
    assert shown["host"] == ["127.0.0.2", "SWITCHROOM_HOST"]
    assert shown["db"] == ["memory:", "SWITCHROOM_DB", "in", ".env"]
    assert shown["json_response"] == ["true", "FASTMCP_JSON_RESPONSE", "in", ".env"]
    assert shown["idle_seconds"] == ["1800.0", "default"]
    assert configured(tmp_path, "--port", "7002", **variables)[0]["port"] == ["7002", "argument"]


def test_secrets_are_masked_and_unknown_variables_are_named_with_the_nearest(tmp_path: Path) -> None:
    variables = {"SWITCHROOM_ADMIN_PASSWORD": "correct horse battery", "SWITCHROOM_IDLE_SECOND": "5"}
    shown, warnings = configured(tmp_path, **variables)
    assert shown["admin_password"] == ["********", "SWITCHROOM_ADMIN_PASSWORD"]
    assert "no setting reads SWITCHROOM_IDLE_SECOND. Did you mean SWITCHROOM_IDLE_SECONDS?" in warnings


def test_a_wrong_value_stops_the_start_with_its_name_and_what_is_allowed(tmp_path: Path) -> None:
    said = failing_command(tmp_path, "serve", max_sessions="0")
    assert "SWITCHROOM_MAX_SESSIONS cannot be '0': Input should be greater than or equal to 1" in said
    (tmp_path / ".env").write_text("FASTMCP_PORT=eighty\n")
    assert "FASTMCP_PORT cannot be 'eighty'" in failing_command(tmp_path, "serve")
    secret = failing_command(tmp_path, "serve", port="0", secret_keys="marker-of-a-secret")
    assert "marker-of-a-secret" not in secret


@pytest.mark.parametrize("era", ["legacy", "auto"])
async def test_get_server_config_tells_how_the_server_is_really_served(tmp_path: Path, era: str) -> None:
    (tmp_path / ".env").write_text("FASTMCP_JSON_RESPONSE=true\nFASTMCP_MOUNT_PATH=/tools\n")
    assert "SWITCHROOM_JSON_RESPONSE" not in os.environ
    with serving(tmp_path) as served:
        async with connected(f"{served.base}/tools/mcp", mode=era) as (client, _):
            answer = await client.call_tool("get_server_config", {})
    assert answer.structured_content == {
        "stateless_http": False,
        "json_response": True,
        "host": "127.0.0.1",
        "port": served.port,
        "mount_path": "/tools",
        "streamable_http_path": "/mcp",
    }
