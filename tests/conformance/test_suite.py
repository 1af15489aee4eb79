"""The official conformance suite against `switchroom serve`: every server scenario of three revisions."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from mcp import Client

from tests.support.packages import ROOT, find_node, npm_packages
from tests.support.processes import Served, serving

pytestmark = pytest.mark.conformance

HERE = Path(__file__).parent
SUITE_SECONDS = 120

TOOLS = {
    "json_schema_2020_12_tool",
    "test_audio_content",
    "test_elicitation",
    "test_elicitation_sep1034_defaults",
    "test_elicitation_sep1330_enums",
    "test_embedded_resource",
    "test_error_handling",
    "test_header_parameter",
    "test_image_content",
    "test_input_required_result_capabilities",
    "test_input_required_result_elicitation",
    "test_input_required_result_list_roots",
    "test_input_required_result_multi_round",
    "test_input_required_result_multiple_inputs",
    "test_input_required_result_request_state",
    "test_input_required_result_sampling",
    "test_input_required_result_tampered_state",
    "test_logging_tool",
    "test_missing_capability",
    "test_multiple_content_types",
    "test_reconnection",
    "test_sampling",
    "test_simple_text",
    "test_streaming_elicitation",
    "test_tool_with_logging",
    "test_tool_with_progress",
    "test_trigger_prompt_change",
    "test_trigger_tool_change",
}
"""What the suite's scenarios call by name, and one tool with a header parameter: without them checks pass vacuously."""


@pytest.fixture(scope="module")
def suite() -> Path:
    return npm_packages(HERE) / "node_modules" / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))  # the fixtures are modules of the tests
        with serving(tmp_path_factory.mktemp("everything"), f"{HERE / 'everything.py'}:server") as running:
            yield running


class Verdict(NamedTuple):
    """What the suite said about one revision."""

    scenarios: int
    statuses: Counter[str]
    complaints: list[str]
    """One line for each check that neither passed nor only informs."""


def judge(suite: Path, served: Served, revision: str, results: Path) -> Verdict:
    """Run every server scenario that applies to a revision."""
    command = [*find_node().node, str(suite), "server", "--url", served.mcp]
    command += ["--suite", "all", "--spec-version", revision, "--output-dir", str(results)]
    done = subprocess.run(command, cwd=results.parent, capture_output=True, text=True, timeout=SUITE_SECONDS)
    statuses: Counter[str] = Counter()
    complaints: list[str] = []
    scenarios = sorted(results.glob("*/checks.json"))
    for path in scenarios:
        checks: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))
        statuses.update(check["status"] for check in checks)
        complaints += [
            f"{check['status']} {check['id']}: {check.get('errorMessage')}"
            for check in checks
            if check["status"] not in ("SUCCESS", "INFO")
        ]
    assert done.returncode == 0, "\n".join([*complaints, done.stdout[-2_000:], done.stderr[-2_000:]])
    return Verdict(len(scenarios), statuses, complaints)


@pytest.mark.parametrize(
    ("revision", "scenarios", "checks"),
    [("2025-06-18", 27, 56), ("2025-11-25", 33, 84), ("2026-07-28", 40, 152)],
)
def test_every_check_of_a_revision_passes(
    suite: Path, served: Served, tmp_path: Path, revision: str, scenarios: int, checks: int
) -> None:
    verdict = judge(suite, served, revision, tmp_path / "results")
    assert verdict.complaints == []
    assert (verdict.scenarios, verdict.statuses["SUCCESS"]) == (scenarios, checks)
    assert "ERROR" not in served.text, served.text
    assert "Traceback" not in served.text, served.text


@pytest.mark.anyio
@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_everything_that_the_suite_calls_is_there(served: Served, mode: Any) -> None:
    async with Client(served.mcp, mode=mode) as client:
        assert {tool.name for tool in (await client.list_tools()).tools} == TOOLS
        assert {prompt.name for prompt in (await client.list_prompts()).prompts} == {
            "test_input_required_result_prompt",
            "test_prompt_with_arguments",
            "test_prompt_with_embedded_resource",
            "test_prompt_with_image",
            "test_simple_prompt",
        }
        listed = {str(resource.uri) for resource in (await client.list_resources()).resources}
        assert listed >= {"test://static-binary", "test://static-text", "test://watched-resource"}
        templates = (await client.list_resource_templates()).resource_templates
        assert [template.uri_template for template in templates] == ["test://template/{id}/data"]
        assert client.server_capabilities.tools is not None and client.server_capabilities.prompts is not None
        assert (client.server_capabilities.logging is not None) == (mode == "legacy")


@pytest.mark.anyio
async def test_the_newer_era_declares_what_its_subscriptions_carry(served: Served) -> None:
    """The suite skips its list-changed checks where this is not declared."""
    async with Client(served.mcp, mode="auto") as client:
        capabilities = client.server_capabilities
        assert capabilities.tools is not None and capabilities.tools.list_changed
        assert capabilities.prompts is not None and capabilities.prompts.list_changed
        assert capabilities.resources is not None and capabilities.resources.subscribe
