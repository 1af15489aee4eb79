"""`/metrics`: right in form, true in value, and open to this machine alone."""

from __future__ import annotations

import math
import re

import httpx2
import pytest

from switchroom.dashboard.exposition import Exposition
from switchroom.server.models import Role
from tests.support.console import BASE, Console
from tests.support.pages import modern_call, opened, running_pages
from tests.support.source import ROOT

pytestmark = pytest.mark.anyio

SAMPLE = re.compile(r'([a-z_]+)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (\S+)')


def samples(text: str) -> dict[str, float]:
    """Read the format strictly: every line is a comment or a sample, and ends with a line feed."""
    assert text.endswith("\n")
    found: dict[str, float] = {}
    for line in text.splitlines():
        if line.startswith("# "):
            assert re.fullmatch(r"# (HELP [a-z_]+ .+|TYPE [a-z_]+ (gauge|counter|histogram))", line), line
            continue
        match = SAMPLE.fullmatch(line)
        assert match is not None, line
        name, labels, value = match.groups()
        found[f"{name}{{{labels}}}" if labels else name] = float(value)
    return found


async def scraped(console: Console) -> dict[str, float]:
    answer = await console.browser().get("/admin/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return samples(answer.text)


async def test_it_counts_what_clients_of_both_eras_did(console: Console) -> None:
    before = await scraped(console)
    await opened(console, calls=2)
    await modern_call(console, "open_session")
    after = await scraped(console)

    def grown(name: str) -> float:
        return after[name] - before[name]

    assert grown('switchroom_sessions{state="initialized"}') == 2
    assert grown("switchroom_sessions_opened_total") == 2
    assert grown("switchroom_clients") == 1
    assert grown('switchroom_requests_total{era="handshake"}') == 3
    assert grown('switchroom_requests_total{era="modern"}') >= 1
    assert after["switchroom_store_up"] == 1


async def test_the_histogram_adds_up(console: Console) -> None:
    await opened(console, calls=3)
    found = await scraped(console)
    steps = [
        (key, value) for key, value in found.items() if key.startswith("switchroom_request_duration_seconds_bucket")
    ]
    bounds = [float(key.split('"')[1]) for key, _ in steps]
    values = [value for _, value in steps]
    assert bounds == sorted(bounds) and bounds[-1] == math.inf
    assert values == sorted(values)
    answered = sum(value for key, value in found.items() if key.startswith("switchroom_requests_total"))
    assert values[-1] == found["switchroom_request_duration_seconds_count"] == answered
    assert found["switchroom_request_duration_seconds_sum"] > 0


async def test_it_counts_sign_ins_and_broadcasts(console: Console) -> None:
    browser = await console.signed_in()
    await console.browser().post("/admin/login", data={"operator": "ana", "password": "not this one"})
    await opened(console)
    await browser.post("/admin/broadcasts", data={"text": "hello", "level": "info", "audience": "all"})
    found = await scraped(console)
    assert found['switchroom_sign_ins_total{outcome="done"}'] == 1
    assert found['switchroom_sign_ins_total{outcome="refused"}'] == 1
    assert found["switchroom_broadcasts_total"] == 1
    assert found['switchroom_operator_actions_total{action="broadcast",outcome="done"}'] == 1


async def test_a_limit_that_was_reached_is_counted(console: Console) -> None:
    async with running_pages(max_sessions=1) as small:
        await opened(small)
        with pytest.raises(AssertionError):
            await opened(small, "second")
        found = await scraped(small)
    assert found['switchroom_limit_hits_total{limit="sessions"}'] == 1
    assert found['switchroom_limit_used_ratio{limit="sessions"}'] == 1


@pytest.mark.parametrize(
    ("base", "address", "headers"),
    [
        (BASE, "192.0.2.9", {}),
        ("http://console.example.org", "127.0.0.1", {}),
        (BASE, "127.0.0.1", {"X-Forwarded-For": "203.0.113.5"}),
        (BASE, "127.0.0.1", {"Forwarded": "for=203.0.113.5"}),
        (BASE, "127.0.0.1", {"Via": "1.1 proxy"}),
    ],
)
async def test_from_elsewhere_it_needs_a_token(base: str, address: str, headers: dict[str, str]) -> None:
    async with running_pages(allowed_hosts="console.example.org") as console:
        stranger = console.browser(base=base, address=address)
        refused = await stranger.get("/admin/metrics", headers={"Accept": "text/plain", **headers})
        assert refused.status_code in (303, 401) and "switchroom_" not in refused.text
        secret, _ = await console.accounts.tokens.create("prometheus", Role.VIEWER)
        allowed = await stranger.get("/admin/metrics", headers={"Authorization": f"Bearer {secret}", **headers})
        assert allowed.status_code == 200 and "switchroom_info" in allowed.text


@pytest.mark.parametrize(("setting", "status"), [("token", 303), ("off", 404)])
async def test_this_machine_can_be_shut_out_too(setting: str, status: int) -> None:
    async with running_pages(metrics=setting) as console:
        answer: httpx2.Response = await console.browser().get("/admin/metrics")
        assert answer.status_code == status and "switchroom_info" not in answer.text


async def test_every_metric_is_documented(console: Console) -> None:
    await console.signed_in()
    answer = await console.browser().get("/admin/metrics")
    served = set(re.findall(r"^# TYPE (\S+) (\S+)$", answer.text, re.MULTILINE))
    text = (ROOT / "docs/metrics.md").read_text("utf-8")
    assert set(re.findall(r"^\| `(switchroom_\w+)` \| (\w+) \|", text, re.MULTILINE)) == served


def test_hostile_text_in_a_label_stays_inside_its_quotes() -> None:
    out = Exposition()
    out.gauge("test_info", "One\nline \\ of help.", [({"name": 'a"b\\c\nd\ud800'}, 1)])
    assert out.text() == (
        '# HELP test_info One\\nline \\\\ of help.\n# TYPE test_info gauge\ntest_info{name="a\\"b\\\\c\\nd?"} 1\n'
    )
