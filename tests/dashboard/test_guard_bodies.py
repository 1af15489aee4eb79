"""What the guard does about bodies: too large, endless, or none at all."""

from __future__ import annotations

import anyio
import pytest
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive

from switchroom.dashboard import guard as guard_module
from switchroom.dashboard.guard import MAX_BODY_BYTES, Guard
from tests.support.console import plain_settings
from tests.support.guarded import Recorder, ask

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("length", [str(MAX_BODY_BYTES + 1), "9" * 30, "-1", "ten"])
async def test_a_body_announced_too_large_is_refused_unread(length: str) -> None:
    app = Recorder()
    headers = [("Sec-Fetch-Site", "same-origin"), ("Content-Length", length)]
    assert (await ask(Guard(app, plain_settings()), "POST", headers=headers))[0] == 413
    assert app.seen == []


async def test_a_body_that_grows_too_large_is_cut_off() -> None:
    with pytest.raises(HTTPException) as caught:
        await guard_module._BoundedBody(_chunks(MAX_BODY_BYTES + 1), 5)()  # pyright: ignore[reportPrivateUsage]
    assert caught.value.status_code == 413


async def test_a_body_that_never_ends_is_given_up() -> None:
    async def silent() -> Message:
        await anyio.sleep_forever()
        raise AssertionError

    with anyio.fail_after(5), pytest.raises(HTTPException) as caught:
        await guard_module._BoundedBody(silent, 0.01)()  # pyright: ignore[reportPrivateUsage]
    assert caught.value.status_code == 408


async def test_a_long_stream_is_not_cut_by_the_body_limits() -> None:
    disconnected = anyio.Event()
    messages: list[Message] = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Message:
        if messages:
            return messages.pop()
        await disconnected.wait()
        return {"type": "http.disconnect"}

    bounded = guard_module._BoundedBody(receive, 0.01)  # pyright: ignore[reportPrivateUsage]
    await bounded()
    async with anyio.create_task_group() as tasks:
        with anyio.fail_after(5):
            tasks.start_soon(_set_later, disconnected)
            assert (await bounded())["type"] == "http.disconnect"


def _chunks(size: int) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": b"x" * size, "more_body": True}

    return receive


async def _set_later(event: anyio.Event) -> None:
    with anyio.move_on_after(0.05):
        await anyio.sleep_forever()
    event.set()
