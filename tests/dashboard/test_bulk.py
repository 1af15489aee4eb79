"""One verb over many sessions: counted again, paced, shown while it runs, recorded one by one."""

from __future__ import annotations

import asyncio
import csv
import io

import anyio
import pytest

from switchroom.dashboard.frames import Resync
from switchroom.dashboard.frames.job import JobFrames
from switchroom.dashboard.templating import Templates
from switchroom.dashboard.urls import Urls
from switchroom.server.errors import NotFound
from switchroom.server.models import Actor, Role, SessionKind, SessionState
from tests.support.console import Console
from tests.support.html import parse
from tests.support.pages import HTMX, opened, read, running_pages

pytestmark = pytest.mark.anyio

URLS = Urls("/admin")


def many(console: Console, count: int, *, client: str = "swarm") -> list[str]:
    """Open sessions in the engine itself, since hundreds of handshakes would take seconds."""
    engine, ids = console.room.engine, list[str]()
    for number in range(count):
        kind = SessionKind.STREAMABLE_HTTP
        session = engine.open(kind, f"secret-{client}-{number}", server="bundled", state=SessionState.INITIALIZED)
        session.record.client_name = client
        ids.append(session.record.id)
    return ids


def form(q: str, count: int, **values: str) -> dict[str, str]:
    confirm = f"expire {count}"
    return {"q": q, "by_filter": "1", "expected": str(count), "confirm": confirm, "reason": "INC-1", **values}


async def test_an_action_on_more_than_500_goes_on_by_itself_and_shows_how_far_it_is() -> None:
    async with running_pages(limits="off") as console:
        many(console, 510)
        browser = await console.signed_in()
        answer = await browser.post("/admin/expirations", data=form("client:swarm", 510, pace="100000"))
        assert answer.status_code == 303
        job_url = answer.headers["location"]
        job = console.room.operations.bulk.job(job_url.rpartition("/")[2])
        with anyio.fail_after(20):
            await job.ended.wait()
        page = read(await browser.get(job_url))
        assert page.one("h1").text == "Expire 510 sessions" and "510 of 510 reached" in page.text
        assert len(page.one("#verdicts").select("tbody")[0].select("tr")) == 100
        entry = await console.room.directory.audit_entry(job.id)
        assert (entry.outcome, entry.reason) == ("done", "INC-1") and '"expired": 510' in entry.detail
        found: list[str] = []
        url = job_url
        while url:
            page = read(await browser.get(url))
            found += [link.text for link in page.one("#verdicts").select("a.code")]
            onward = page.one("#verdicts").select("a[rel=next]")
            url = onward[0].attributes["href"] if onward else ""
        assert len(found) == 510 and found == sorted(set(found))


async def test_a_dialog_leaves_for_the_page_of_the_job() -> None:
    async with running_pages(limits="off") as console:
        many(console, 501)
        browser = await console.signed_in()
        answer = await browser.post("/admin/expirations", data=form("", 501, pace="100000"), headers=HTMX)
        assert answer.headers["hx-redirect"].startswith("/admin/jobs/")


async def test_a_job_is_paced_and_stopped_between_two_sessions() -> None:
    async with running_pages(limits="off") as console:
        ids = many(console, 40)
        browser = await console.signed_in()
        answer = await browser.post("/admin/expirations", data=form("client:swarm", 40, pace="4"))
        assert "/jobs/" in answer.headers["location"], "at that pace nobody waits for it"
        job = console.room.operations.bulk.job(answer.headers["location"].rpartition("/")[2])
        with anyio.fail_after(5):
            while not job.reached:
                await asyncio.sleep(0)
        frames = JobFrames(console.room.directory, Templates(URLS), job, can_act=True)
        panel = parse((await frames.frame(0)).html)
        assert panel.one("form").attributes["action"] == f"/admin/jobs/{job.id}/stop"
        stopped = await browser.post(f"/admin/jobs/{job.id}/stop")
        assert stopped.status_code == 303
        with anyio.fail_after(5):
            await job.ended.wait()
        assert job.status == "stopped" and 0 < job.reached < 5
        assert len([each for each in ids if each in console.room.engine.by_id]) == 40 - job.reached
        entry = await console.room.directory.audit_entry(job.id)
        assert entry.outcome == "partly" and f'"expired": {job.reached}' in entry.detail and "ana" in entry.detail
        with pytest.raises(Resync):
            await frames.frame(0)


async def test_more_than_a_tenth_more_than_was_seen_expires_nobody() -> None:
    async with running_pages() as console:
        many(console, 12)
        browser = await console.signed_in()
        page = read(await browser.post("/admin/expirations", data=form("client:swarm", 10)), status=422)
        assert "12 sessions instead of 10" in page.text and page.one("#confirm")
        assert len(console.room.engine.by_id) == 12
        entry = (await console.room.directory.audit(action="expire"))[0]
        assert entry.outcome == "failed"


async def test_exceptions_are_left_alone() -> None:
    async with running_pages() as console:
        ids = many(console, 5)
        browser = await console.signed_in()
        await browser.post("/admin/expirations", data={**form("client:swarm", 3), "except": ids[:2]})
        assert set(console.room.engine.by_id) == set(ids[:2])


@pytest.mark.parametrize(
    ("sent", "said"), [({"reason": " "}, "Give a reason"), ({"pace": "fast"}, "number"), ({"pace": "0"}, "1 to")]
)
async def test_what_is_wrong_with_the_form_is_said_in_it_and_what_was_typed_is_kept(
    sent: dict[str, str], said: str
) -> None:
    async with running_pages() as console:
        many(console, 30)
        browser = await console.signed_in()
        answer = await browser.post("/admin/expirations", data=form("", 30) | sent, headers=HTMX)
        dialog = read(answer, status=422)
        assert said in dialog.text
        assert dialog.one("#pace").attributes["value"] == sent.get("pace", "200")
        assert len(console.room.engine.by_id) == 30


async def test_calls_in_flight_of_chosen_sessions_are_cancelled_and_the_sessions_stay() -> None:
    async with running_pages(cancel_grace_seconds=0.2) as console:
        caller, quiet = console.mcp_client(), await opened(console, "quiet")
        await caller.initialize("busy")
        busy = await console.room.directory.lookup(caller.secret)
        answers: list[str] = []
        async with anyio.create_task_group() as group:

            async def call() -> None:
                answers.append((await caller.call("wait", seconds=30)).text)

            group.start_soon(call)
            with anyio.fail_after(5):
                while not console.room.directory.in_flight(busy.id):
                    await asyncio.sleep(0)
            browser = await console.signed_in()
            dialog = read(await browser.get(f"/admin/calls/cancellations?id={busy.id}&id={quiet.id}", headers=HTMX))
            assert "Cancel 1 call" in dialog.text
            sent = {"id": [busy.id, quiet.id], "reason": "stuck since noon"}
            answer = await browser.post("/admin/calls/cancellations", data=sent, headers=HTMX)
            assert "1 cancelled" in answer.text
        assert "stuck since noon" in answers[0]
        assert {busy.id, quiet.id} <= set(console.room.engine.by_id)
        entry = (await console.room.directory.audit(action="cancel_calls"))[0]
        results = dict(await console.room.directory.results(entry.action_id))
        assert results == {busy.id: "1 cancelled", quiet.id: "no call in flight"}


async def test_a_viewer_is_offered_nothing_and_refused_everything_but_reading() -> None:
    async with running_pages() as console:
        (session_id,) = many(console, 1)
        viewer = await console.signed_in(Role.VIEWER)
        for path in ("/admin/expirations", "/admin/calls/cancellations", "/admin/jobs/X/stop"):
            assert (await viewer.post(path, data={"id": session_id, "reason": "x"})).status_code == 403
        page = read(await viewer.get("/admin/sessions"))
        assert page.select(".pick") == [] and page.select("#bulk") == [] and page.select("a[download]")
        assert session_id in console.room.engine.by_id


async def test_sessions_are_exported_by_selection_and_by_filter_without_their_secrets() -> None:
    async with running_pages() as console:
        one, two = await opened(console, "=1+1", calls=1), await opened(console, "two")
        browser = await console.signed_in(Role.VIEWER)
        answer = await browser.get("/admin/sessions/export", params={"id": [one.id]})
        (row,) = csv.DictReader(io.StringIO(answer.text))
        assert (row["id"], row["client"], row["keys"]) == (one.id, "'=1+1", "1")
        found = (await browser.get("/admin/sessions/export", params={"q": "state:live", "format": "json"})).json()
        assert {each["id"] for each in found} == {one.id, two.id}
        assert one.mcp_session_id_prefix not in answer.text
        excepted = {"q": "", "except": [one.id], "format": "json"}
        assert [each["id"] for each in (await browser.get("/admin/sessions/export", params=excepted)).json()] == [
            two.id
        ]


async def test_the_api_answers_a_large_action_with_a_job() -> None:
    async with running_pages(limits="off") as console:
        ids = many(console, 501)
        script = await console.script()
        body = {"filter": "client:swarm", "expected": 501, "reason": "moving", "per_second": 100_000}
        answer = await script.post("/api/v1/expirations", json=body)
        assert answer.status_code == 202
        job_id = answer.json()["id"]
        with anyio.fail_after(20):
            await console.room.operations.bulk.job(job_id).ended.wait()
        assert (await script.get(f"/api/v1/jobs/{job_id}")).json()["done"] == 501
        assert [job["id"] for job in (await script.get("/api/v1/jobs")).json()["items"]] == [job_id]
        page = (await script.get(f"/api/v1/audit/{job_id}/results?limit=500")).json()
        assert page["counts"] == {"expired": 501} and page["next_cursor"] == sorted(ids)[499]
        small = await script.post("/api/v1/expirations", json={"session_ids": ids[:2], "reason": "again"})
        assert small.status_code == 200 and small.json()["already_ended_count"] == 2


async def test_a_job_of_an_earlier_run_is_told_by_the_audit_log() -> None:
    async with running_pages() as console:
        session = await opened(console)
        actor = Actor("ana", Role.OPERATOR)
        result = await console.room.operations.expire(actor, "moved", session_ids=[session.id])
        console.room.operations.bulk._jobs.clear()  # pyright: ignore[reportPrivateUsage]
        with pytest.raises(NotFound):
            console.room.operations.bulk.job(result.action_id)
        answer = await (await console.signed_in()).get(f"/admin/jobs/{result.action_id}")
        assert answer.headers["location"] == f"/admin/audit/{result.action_id}"


async def test_the_rest_of_a_stopped_job_is_gone_on_with_when_its_number_is_typed() -> None:
    async with running_pages(limits="off") as console:
        ids = many(console, 40)
        browser = await console.signed_in()
        began = await browser.post("/admin/expirations", data=form("client:swarm", 40, pace="4"))
        address = began.headers["location"]
        job = console.room.operations.bulk.job(address.rpartition("/")[2])
        with anyio.fail_after(10):
            while not job.reached:
                await asyncio.sleep(0)
        await browser.post(f"{address}/stop")
        with anyio.fail_after(10):
            await job.ended.wait()
        page = read(await browser.get(address))
        assert f"Stopped by ana at {job.reached} of 40." in page.one("#progress-panel").text
        typed = page.one("form.rest").attributes["data-confirm"]
        assert typed == f"expire {40 - job.reached}"
        console.room.operations.bulk._jobs.clear()  # pyright: ignore[reportPrivateUsage]
        past = read(await browser.get(address))
        assert past.one("form.rest").attributes["data-confirm"] == typed, "another run of the server says the same"
        assert address in read(await browser.get("/admin/jobs")).one("tbody").one("a").attributes["href"]
        refused = await browser.post(f"{address}/continuation", data={"confirm": "expire 1"})
        assert refused.status_code == 422 and len(console.room.engine.by_id) == 40 - job.reached
        went_on = await browser.post(f"{address}/continuation", data={"confirm": typed})
        rest = console.room.operations.bulk.job(went_on.headers["location"].rpartition("/")[2])
        assert (rest.total, rest.per_second, rest.reason) == (40 - job.reached, 4, "INC-1")
        assert set(ids) >= set(console.room.engine.by_id)
        assert "went on with the rest" in read(await browser.get(address)).one("#progress-panel").text
