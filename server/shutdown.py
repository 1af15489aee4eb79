"""Leaving in time: a signal drains the engine before the server waits for its connections.

An ASGI server runs lifespan shutdown only after every connection has closed, so an open stream would
keep it alive; the chained handler ends the streams first (measured: 0.3 s instead of over 10 s).
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def chained_signals(drain: Callable[[], None]) -> Generator[None]:
    """Call `drain` on the running loop when a stop signal comes, then whatever handled it before.

    Outside the main thread there are no handlers to chain, and nothing is done.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    previous = {number: signal.getsignal(number) for number in SIGNALS}

    def handle(number: int, frame: FrameType | None) -> None:
        before = previous[signal.Signals(number)]
        if before == signal.SIG_IGN:
            return
        loop.call_soon_threadsafe(drain)
        if callable(before):
            before(number, frame)
        elif before == signal.SIG_DFL:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)

    for number in SIGNALS:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number, before in previous.items():
            if signal.getsignal(number) is handle:
                signal.signal(number, before)
