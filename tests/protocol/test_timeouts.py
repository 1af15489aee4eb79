"""How long a session may be idle and may live: by the server, a rule, a tool and an operator. And its history."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from switchroom.server.engine.sweeper import Sweeper
from switchroom.server.errors import AlreadyEnded, InvalidInput, StartupError
from switchroom.server.models import Actor, Role, SessionState
from switchroom.server.store import EventQuery, SqliteStore
from switchroom.server.tools import bundled_server
from tests.support.clients import connected
from tests.support.clients import text_of as answer_of
from tests.support.servers import Site, running
from tests.support.wire import session, text_of

pytestmark = pytest.mark.anyio

ANN = Actor("ann", Role.OPERATOR)


async def after(site: Site, seconds: float) -> None:
    """Sweep as if so many seconds had passed in silence."""
    await Sweeper(site.switchroom.engine).sweep(time.monotonic() + seconds)


async def states(site: Site, session_id: str) -> list[tuple[str, str, str | None, str | None]]:
    steps = await site.switchroom.directory.history(session_id)
    assert [step.at for step in steps] == sorted(step.at for step in steps)
    return [(step.state.value, step.cause, step.by, step.reason) for step in steps]


async def test_each_step_of_a_session_has_its_cause_and_an_operators_has_who_and_why() -> None:
    async with running(bundled_server()) as site, session(site.url):
        session_id = site.live().record.id
        await site.switchroom.operations.set_timeouts(ANN, session_id, "long job", idle_seconds=7200)
        await site.switchroom.operations.expire(ANN, "moving", session_ids=[session_id])
        assert await states(site, session_id) == [
            ("initializing", "initialize", None, None),
            ("initialized", "notifications/initialized", None, None),
            ("initialized", "limits: idle 2h, lifetime none", "ann", "long job"),
            ("expired", "operator", "ann", "moving"),
        ]


async def test_a_history_goes_on_over_a_restart(tmp_path: Path) -> None:
    async with running(bundled_server(), store=SqliteStore(tmp_path / "s.db")) as site:
        async with session(site.url) as wire:
            secret, session_id = wire.session_id, site.live().record.id
    async with running(bundled_server(), store=SqliteStore(tmp_path / "s.db")) as site:
        assert site.live().record.state is SessionState.DETACHED
        wire.url, wire.session_id = site.url, secret
        async with session(site.url) as other:
            other.session_id = secret
            await other.call("echo", text="x")
            await other.delete()
        assert [(state, cause) for state, cause, *_ in await states(site, session_id)][1:] == [
            ("initialized", "notifications/initialized"),
            ("detached", "the server restarted"),
            ("initialized", "revived after a restart"),
            ("closed", "client"),
        ]


async def test_a_history_of_many_restarts_keeps_its_beginning_and_its_end() -> None:
    async with running(bundled_server()) as site, session(site.url):
        session_id = site.live().record.id
        for number in range(100):
            await site.switchroom.operations.set_timeouts(ANN, session_id, f"no. {number}", idle_seconds=3600 + number)
        steps = await states(site, session_id)
        assert len(steps) == 64
        assert (steps[0][1], steps[1][1], steps[-1][3]) == ("initialize", "notifications/initialized", "no. 99")


async def test_an_operator_extends_and_shortens_one_session_alone() -> None:
    async with running(bundled_server(), idle_seconds=60) as site, session(site.url), session(site.url, name="other"):
        room = site.switchroom
        extended, other = (live.record.id for live in room.engine.live())
        result = await room.operations.set_timeouts(ANN, extended, "long job", idle_seconds=3600)
        assert result.expires_at is not None and result.expires_at == pytest.approx(time.time() + 3600, abs=5)
        assert (result.timeouts.idle_from, result.timeouts.lifetime_from) == ("session", "server")
        await after(site, 120)
        assert [live.record.id for live in room.engine.live()] == [extended]
        assert (await room.directory.session(other)).end_code == "idle"
        back = await room.operations.set_timeouts(ANN, extended, "done", idle_seconds=None)
        assert (back.timeouts.idle_seconds, back.timeouts.idle_from) == (60, "server")
        await room.operations.set_timeouts(ANN, extended, "for ever", idle_seconds=0)
        await after(site, 1e7)
        assert (await room.directory.session(extended)).expires_at is None
        (entry,) = await room.directory.audit(limit=1)
        assert (entry.action, entry.actor, entry.reason, entry.outcome) == ("set_timeouts", "ann", "for ever", "done")
        assert '"idle": "1m to none"' in entry.detail


async def test_a_lifetime_ends_a_session_that_is_in_use() -> None:
    async with running(bundled_server()) as site, session(site.url) as wire, wire.listening() as stream:
        await stream.next()
        live = site.live()
        await site.switchroom.operations.set_timeouts(ANN, live.record.id, "one hour", lifetime_seconds=3600)
        live.record.created_at -= 3601
        await after(site, 0)
        assert (await site.switchroom.directory.session(live.record.id)).end_code == "lifetime"
        assert await stream.rest() == []


async def test_a_limit_that_has_passed_is_refused_and_changes_nothing() -> None:
    async with running(bundled_server()) as site, session(site.url):
        live, verbs = site.live(), site.switchroom.operations
        live.record.created_at -= 7200
        live.last_used -= 600
        for wrong in ({"lifetime_seconds": 3600.0}, {"idle_seconds": 300.0}, {"idle_seconds": -5.0}, {}):
            with pytest.raises(InvalidInput):
                await verbs.set_timeouts(ANN, live.record.id, "shorter", **wrong)
        with pytest.raises(InvalidInput, match="reason"):
            await verbs.set_timeouts(ANN, live.record.id, " ", idle_seconds=900)
        assert (live.record.idle_seconds, live.record.lifetime_seconds) == (None, None)
        with pytest.raises(AlreadyEnded):
            await verbs.set_timeouts(ANN, "NOSUCHSESSION", "longer", idle_seconds=900)


async def test_a_rule_gives_clients_other_limits_and_the_session_says_whose() -> None:
    rules = 'client:"batch job" -> idle=none lifetime=1d; client:quick* -> idle=5m'
    async with running(bundled_server(), timeout_rules=rules) as site:
        async with session(site.url, name="batch job"), session(site.url, name="quick-1"), session(site.url):
            found = {
                live.record.client_name: site.switchroom.engine.describe(live) for live in site.switchroom.engine.live()
            }
            batch, quick, other = found["batch job"], found["quick-1"], found["wire"]
            assert (batch.idle_seconds, batch.lifetime_seconds) == (None, 86_400)
            assert batch.idle_from == batch.lifetime_from == 'client:"batch job"'
            assert (quick.idle_seconds, quick.idle_from, quick.lifetime_from) == (300, "client:quick*", "server")
            assert (other.idle_seconds, other.idle_from) == (1800, "server")
            await after(site, 2000)
            assert [live.record.client_name for live in site.switchroom.engine.live()] == ["batch job"]


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("client:x idle=5m", "has no ->"),
        ("client:x -> idle=soon", '"idle=soon" is no limit'),
        ("client:x -> ", "sets no limit"),
        ("requests:>5 -> idle=5m", "changes while a session lives"),
        ("colour:red -> idle=5m", "Unknown key"),
    ],
)
async def test_a_rule_that_cannot_be_read_stops_the_start_with_what_is_allowed(rule: str, why: str) -> None:
    with pytest.raises(StartupError) as refused:
        async with running(bundled_server(), timeout_rules=rule):
            pass
    message = refused.value.message
    assert "SWITCHROOM_TIMEOUT_RULES" in message and why in message and "FILTER -> idle=DURATION" in message


async def test_the_guides_tools_answer_with_the_callers_own_session_in_both_eras() -> None:
    async with running(bundled_server()) as site:
        async with session(site.url) as wire:
            assert text_of((await wire.call("stateful_tool", message="a")).last).endswith("(message #1)")
            assert text_of((await wire.call("stateful_tool", message="b")).last).endswith("(message #2)")
            assert text_of((await wire.call("stateless_tool", data="c")).last) == "Processed 'c' in fresh session"
            answer = text_of((await wire.call("managed_tool", data="d")).last)
            assert answer.startswith("Processed 'd' (request #5) in session ")
            assert "initialized over streamable-http" in answer and "idle timeout 30m, lifetime none" in answer
            stored = await wire.call("logged_operation", action="tidy up")
            assert [message["params"]["data"] for message in stored.messages[:-1]] == [
                "Executing action: tidy up", "Completed action: tidy up"
            ]  # fmt: skip
            assert text_of(stored.last) == "Action 'tidy up' completed successfully"
            await wire.call("set_session_timeout", idle_seconds=7200)
            assert "idle timeout 2h" in text_of((await wire.call("managed_tool", data="e")).last)
            assert "initialized: limits: idle 2h" in text_of((await wire.call("session_history")).last)
            for wrong in (90_000, 0, -1):
                answered = (await wire.call("set_session_timeout", idle_seconds=wrong)).last["result"]
                assert answered["isError"] and "idle" in answered["content"][0]["text"]
        async with connected(site.url, mode="auto", name="newer") as (client, _):
            assert (
                answer_of(await client.call_tool("stateless_tool", {"data": "c"})) == "Processed 'c' in fresh session"
            )
            assert "call open_session first" in answer_of(await client.call_tool("managed_tool", {"data": "d"}))
            handle = answer_of(await client.call_tool("open_session", {}))
            mine = {"session_id": handle}
            for count in (1, 2):
                said = answer_of(await client.call_tool("stateful_tool", {"message": "a", **mine}))
                assert said.endswith(f"(message #{count})")
            said = answer_of(await client.call_tool("managed_tool", {"data": "d", **mine}))
            assert "(request #3)" in said and "initialized over handle" in said
            said = answer_of(await client.call_tool("set_session_timeout", {"idle_seconds": 600, **mine}))
            assert "idle timeout 10m" in said


async def test_a_logged_operation_of_the_newer_era_is_in_the_log_of_its_handle() -> None:
    async with running(bundled_server()) as site, connected(site.url, mode="auto", name="newer") as (client, _):
        mine = {"session_id": answer_of(await client.call_tool("open_session", {}))}
        done = await client.call_tool("logged_operation", {"action": "tidy up", **mine})
        assert answer_of(done) == "Action 'tidy up' completed successfully"
        session_id = answer_of(await client.call_tool("managed_tool", {"data": "d", **mine})).split()[6].rstrip(":")
        events = (await site.switchroom.directory.events(session_id, EventQuery(limit=1_000))).events
        call = [event for event in events if "tidy up" in (event.payload or "")]
        assert [event.kind.value for event in call] == ["request", "response"]


async def test_a_tool_extends_a_lifetime_no_further_than_the_server_allows() -> None:
    async with running(bundled_server(), lifetime_seconds=3600) as site, session(site.url) as wire:
        answered = (await wire.call("set_session_timeout", lifetime_seconds=7200)).last["result"]
        assert answered["isError"] and "up to 1h" in answered["content"][0]["text"]
        assert "lifetime 30m" in text_of((await wire.call("set_session_timeout", lifetime_seconds=1800)).last)
