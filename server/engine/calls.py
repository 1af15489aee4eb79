"""One request from a client that is being handled."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import anyio

from ..marks import Marks
from ..models import Failure, InFlight

if TYPE_CHECKING:
    from .streams import OpenStream

REQUEST_CANCELLED = -32800
"""How the handshake era answers a cancelled request: its streams end only with an answer."""


def is_cancelled_from_outside() -> bool:
    """Whether a `CancelledError` in the running task was asked for; a handler may also raise one by itself."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


@dataclass(frozen=True, slots=True)
class EarlyAnswer:
    """Why a call was ended before its handler finished, and the JSON-RPC error its client gets."""

    code: int
    message: str
    data: Mapping[str, Any] | None = None


def call_target(method: str, params: Mapping[str, Any] | None) -> str | None:
    """Return the tool, prompt or resource that a request names."""
    if not params or method not in {"tools/call", "prompts/get", "resources/read"}:
        return None
    target = params.get("uri" if method == "resources/read" else "name")
    return target if isinstance(target, str) else None


class Call:
    """A request in flight: from its row in the log until its answer's.

    The first `settle` wins: the handler's own answer, or the one given for it after a cancellation
    that the handler ignored.
    """

    __slots__ = (
        "_settled",
        "abort",
        "bad_handle",
        "cancel_requested",
        "failure",
        "hidden",
        "is_interrupted",
        "is_settled",
        "key",
        "marks",
        "method",
        "on_abort",
        "on_cancel",
        "opened",
        "params",
        "progress",
        "scope",
        "secrets",
        "seq",
        "slot",
        "started_at",
        "started_clock",
        "task",
        "total",
        "waiting",
    )

    def __init__(self, seq: int, key: str, method: str, params: Mapping[str, Any] | None) -> None:
        self.seq = seq
        self.key = key
        """The JSON-RPC id as JSON text."""
        self.slot = key
        """Its name among its session's calls."""
        self.method = method
        self.params = params
        self.started_at = time.time()
        self.started_clock = time.perf_counter_ns()
        # Shielded: the handler outlives whatever cancels the HTTP exchange round it.
        self.scope = anyio.CancelScope(shield=True)
        self.task: asyncio.Task[Any] | None = None
        """Where the handler runs, while it does."""
        self.is_interrupted = False
        self.cancel_requested: anyio.Event | None = None
        self.abort: EarlyAnswer | None = None
        self.on_abort: Callable[[EarlyAnswer], None] | None = None
        """Answers in the handler's place when it ignores its cancellation."""
        self.on_cancel: Callable[[EarlyAnswer], None] | None = None
        """Passes a cancellation on where the handler does not run inside `scope`."""
        self.opened: OpenStream | None = None
        """The connection it is answered on, while that is listed among its session's streams."""
        self.is_settled = False
        self._settled: asyncio.Event | None = None
        self.waiting = 0
        self.secrets: list[str] | None = None
        """Text to be masked in the log of this call, such as a handle it carries or was given."""
        self.marks: Marks | None = None
        """What its tool says is secret; most say nothing."""
        self.hidden: list[str] = []
        """Secrets to be masked wherever the log would have them: marked arguments, and what `hide` was given."""
        self.bad_handle: str | None = None
        """How the caller's session ended, where it passed the handle of one; `None` where it may not know, too."""
        self.failure: Failure | None = None
        """The last error with a code that the handler raised; it is the answer's if that carries its text."""
        self.progress: float | None = None
        self.total: float | None = None

    def masked(self, payload: str) -> str:
        """Return a payload for the log, with the call's secrets cut to their first eight characters."""
        for secret in self.secrets or ():
            payload = payload.replace(secret, secret[:8] + "\\u2026")
        return payload

    def cancel(self, answer: EarlyAnswer) -> bool:
        """Ask the handler to stop; `False` when the call was already answered or cancelled."""
        if self.is_settled or self.abort is not None:
            return False
        self.abort = answer
        if self.cancel_requested is not None:
            self.cancel_requested.set()
        self.scope.cancel()
        if self.on_cancel is not None:
            self.on_cancel(answer)
        return True

    def interrupt(self, answer: EarlyAnswer) -> None:
        """Stop a handler that ignores its cancellation: its task itself is cancelled, whatever it shields.

        For shutdown alone; the HTTP server would otherwise wait for the task.
        """
        self.abort = self.abort or answer
        if self.task is not None and not self.is_interrupted:
            self.is_interrupted = True
            self.task.cancel()

    def takes_back_interrupt(self) -> bool:
        """Whether the running `CancelledError` is that of `interrupt`; the task then goes on uncancelled."""
        if not self.is_interrupted or self.task is None:
            return False
        self.task.uncancel()
        return True

    def mark_settled(self) -> None:
        """Note that the answer is decided; every later one is ignored."""
        self.is_settled = True
        if self._settled is not None:
            self._settled.set()

    async def wait_settled(self, timeout: float) -> bool:
        """Wait until the call is answered; `False` on a timeout."""
        if self.is_settled:
            return True
        if self._settled is None:
            self._settled = asyncio.Event()
        try:
            async with asyncio.timeout(timeout):
                await self._settled.wait()
        except TimeoutError:
            return False
        return True

    @property
    def duration_us(self) -> int:
        return (time.perf_counter_ns() - self.started_clock) // 1000

    def describe(self) -> InFlight:
        return InFlight(
            request_id=self.key,
            seq=self.seq,
            method=self.method,
            target=call_target(self.method, self.params),
            started_at=self.started_at,
            waiting_for_client=self.waiting > 0,
            progress=self.progress,
            total=self.total,
            cancelled=self.abort is not None,
        )
