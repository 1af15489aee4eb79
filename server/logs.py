"""How `switchroom serve` writes its log: one line a record, whatever a client puts into it.

Secrets are cut to what tells them apart, line ends and control characters are escaped, and what a
client can make appear again and again is bounded. An embedding application keeps its own logging.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Final, TextIO

MASK: Final = "[redacted]"
"""Stands in every log where a secret was."""

_SHOWN: Final = 8
"""Characters of a session id or handle that stay: enough to tell two apart, too few to use."""

_SECRETS: Final = (
    # Mcp-Session-Id and the SDK's own ids (uuid4().hex), handles, and ids in addresses.
    (re.compile(r"(?<![0-9A-Za-z_-])([0-9a-f]{8})[0-9a-f]{24}(?![0-9A-Za-z_-])"), r"\1..."),
    (re.compile(r"(?<![0-9A-Za-z_-])(h_[A-Za-z0-9_-]{6})[A-Za-z0-9_-]{26}(?![A-Za-z0-9_-])"), r"\1..."),
    (re.compile(r"(?<![0-9A-Za-z_-])sr_[A-Za-z0-9_-]{20,}"), "sr_..."),
    (re.compile(r"(?i)(bearer\s+)[^\s\"',;]+"), r"\1..."),
    (re.compile(r"(?i)((?:__Host-)?switchroom=)[A-Za-z0-9_-]{16,}"), r"\1..."),
    (re.compile(r"(?i)([?&](?:token|code|access_token)=)[^\s&\"']+"), r"\1..."),
)

_QUOTED_INPUT: Final = re.compile("input_value=.*, input_type=")

_BURST: Final = 30
_WINDOW_SECONDS: Final = 10.0
_MAX_KINDS: Final = 1_000

_QUIET: Final = ("uvicorn.error", "mcp", "httpx", "httpx2")
"""Loggers of libraries that report every request or every start."""

_OWN: Final = "switchroom"

_CUT_ANSWER: Final = "ASGI callable returned without completing response."


def configure_logging(
    log_format: str, stream: TextIO | None = None, *, hidden: Callable[[], Iterable[str]] = tuple
) -> logging.Handler:
    """Send every record of the process to standard error, and return the handler.

    Args:
        hidden: Returns the secrets of whatever is running, to be masked in its records.
        log_format: `json`, `text`, or `auto`, which is text on a terminal and JSON elsewhere.
    """
    target = stream or sys.stderr
    is_json = log_format == "json" or (log_format == "auto" and not target.isatty())
    handler = logging.StreamHandler(target)
    handler.setFormatter(JsonLines(hidden) if is_json else TextLines(hidden))
    handler.addFilter(CutAnswers())
    handler.addFilter(Throttle())
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    return handler


def without_secrets(text: str, hidden: Iterable[str] = ()) -> str:
    """Return a text with every session id, handle, token and cookie in it cut short, and what is hidden masked."""
    secrets = sorted(hidden, key=len, reverse=True)
    for secret in secrets:
        text = text.replace(secret, MASK)
    if secrets:
        text = without_quoted_input(text)
    for pattern, kept in _SECRETS:
        text = pattern.sub(kept, text)
    return text


def without_quoted_input(text: str) -> str:
    """Return a text without what errors of pydantic quote of their input.

    They cut a long value in its middle, so that a search for a secret does not find what is left of it.
    """
    return _QUOTED_INPUT.sub(f"input_value={MASK}, input_type=", text) if "input_value=" in text else text


class SafeLines(logging.Formatter):
    """What both forms of a line have in common: no secrets."""

    def __init__(self, hidden: Callable[[], Iterable[str]] = tuple) -> None:
        super().__init__()
        self._hidden = hidden

    def safe(self, text: str) -> str:
        """Return a text without secrets."""
        return without_secrets(text, self._hidden())


class JsonLines(SafeLines):
    """One JSON object a line, in ASCII: `at`, `level`, `logger`, `message`, and `trace` after an exception."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "at": _when(record.created),
            "level": record.levelname,
            "logger": record.name,
            "message": self.safe(record.getMessage()),
        }
        if (trace := _trace(self, record)) is not None:
            entry["trace"] = self.safe(trace)
        return json.dumps(entry, ensure_ascii=True)


class TextLines(SafeLines):
    """One line a record for people; the lines of a trace are indented, so none can look like a record."""

    def format(self, record: logging.LogRecord) -> str:
        message = _escaped(self.safe(record.getMessage()))
        line = f"{_when(record.created)} {record.levelname:7} {record.name}: {message}"
        if (trace := _trace(self, record)) is not None:
            line += "".join(f"\n    | {_escaped(each)}" for each in self.safe(trace).split("\n"))
        return line


class CutAnswers(logging.Filter):
    """Lowers to INFO what uvicorn calls an error: an answer was cut, since its client did not read it.

    ASGI has no other way to cut one than to return before it is complete.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name == "uvicorn.error" and record.msg == _CUT_ANSWER:
            record.levelno, record.levelname = logging.INFO, logging.getLevelName(logging.INFO)
        return True


class Throttle(logging.Filter):
    """Lets a bounded number of like records through, and says how many it held back.

    Alike are records of one logger with one message before its values are put in. Our own errors always
    pass: an audit entry that the store did not take is among them.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._windows: dict[tuple[str, str], list[float]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno >= logging.ERROR and record.name.startswith(_OWN):
            return True
        now = self._clock()
        if len(self._windows) > _MAX_KINDS:
            self._windows = {k: w for k, w in self._windows.items() if now - w[0] < _WINDOW_SECONDS}
            if len(self._windows) > _MAX_KINDS:
                return False
        window = self._windows.setdefault((record.name, str(record.msg)[:200]), [now, 0.0])
        if now - window[0] >= _WINDOW_SECONDS:
            held_back, window[0], window[1] = int(window[1]) - _BURST, now, 0.0
            if held_back > 0:
                record.msg, record.args = f"{record.getMessage()} (and {held_back} more like this, not shown)", None
        window[1] += 1.0
        return window[1] <= _BURST


def _trace(formatter: logging.Formatter, record: logging.LogRecord) -> str | None:
    if record.exc_info and record.exc_info[0] is not None:
        return formatter.formatException(record.exc_info)
    return record.exc_text or (formatter.formatStack(record.stack_info) if record.stack_info else None)


def _when(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _escaped(text: str) -> str:
    # Everything that could end a line, move a cursor, colour a terminal or turn the reading direction.
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode("ascii") for each in text)
