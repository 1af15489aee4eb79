"""`--admin-port`: MCP on one port, the console on another, in one process that ends as one."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import httpx2
import pytest
from mcp import Client

from tests.support.processes import Served, failing_command, serving

pytestmark = pytest.mark.anyio

CONSOLE_PATHS = ("/admin/", "/admin/login", "/api/v1/sessions", "/api/openapi.json", "/metrics", "/")


def console_of(served: Served) -> str:
    found = re.search(r"Console\s+(http://\S+)/admin/", served.text)
    assert found is not None, served.text
    return found[1]


async def test_each_port_serves_its_own_and_nothing_of_the_other(tmp_path: Path) -> None:
    with serving(tmp_path, "--admin-port", "0") as served:
        console = console_of(served)
        assert console != served.base
        async with Client(served.mcp) as client:
            await client.list_tools()
        async with httpx2.AsyncClient() as http:
            for path in CONSOLE_PATHS:
                refused = await http.get(served.base + path)
                assert refused.status_code == 404 and "MCP" in refused.text, path
            assert (await http.post(f"{console}/mcp", json={})).status_code in (403, 404)
            for base in (served.base, console):
                assert (await http.get(f"{base}/readyz")).status_code == 200
            assert "switchroom_clients 1" in (await http.get(f"{console}/metrics")).text
            bearer = {"Authorization": f"Bearer {served.token()}"}
            listed = await http.get(f"{console}/api/v1/sessions", headers=bearer)
            assert listed.status_code == 200
            assert served.sign_in_link.startswith(f"{console}/admin/login/link")
            assert (await http.get(served.sign_in_link)).status_code == 200


async def test_both_end_together_with_a_page_open(tmp_path: Path) -> None:
    with serving(tmp_path, "--admin-port", "0") as served:
        console = console_of(served)
        token = served.token()
        async with httpx2.AsyncClient(timeout=20, headers={"Authorization": f"Bearer {token}"}) as http:
            async with http.stream("GET", f"{console}/api/v1/live") as stream:
                assert stream.status_code == 200
                took = served.stop()
        assert took < 5 and served.process.returncode in (0, -15)
        assert "Traceback" not in served.text and "ERROR" not in served.text


def test_an_admin_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        line = failing_command(tmp_path, "serve", "--port", "0", "--admin-port", str(port))
    assert f"127.0.0.1:{port}" in line and "--admin-port" in line and "Traceback" not in line


async def test_mcp_may_be_open_to_the_network_while_the_console_stays_on_this_machine(tmp_path: Path) -> None:
    with serving(tmp_path, "--host", "0.0.0.0", "--admin-port", "0") as served:
        assert console_of(served).startswith("http://127.0.0.1:")
    refused = failing_command(tmp_path, "serve", "--port", "0", "--host", "0.0.0.0", db="memory:")
    assert "SWITCHROOM_ADMIN_PASSWORD" in refused
