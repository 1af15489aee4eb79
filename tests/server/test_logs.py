"""The log of `switchroom serve`: one line a record, without secrets, bounded."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from switchroom.server.ids import new_handle, new_session_secret
from switchroom.server.logs import CutAnswers, JsonLines, TextLines, Throttle, configure_logging, without_secrets

HOSTILE = "name\r\n2026-01-01T00:00:00.000Z ERROR switchroom: forged\x1b[31m\u202etxt\u2028\x00"


def record(message: str, *values: object, name: str = "mcp.server", level: int = logging.INFO) -> logging.LogRecord:
    return logging.LogRecord(name, level, __file__, 1, message, values, None)


def failed(text: str) -> logging.LogRecord:
    """Return a record with the trace of an error that says `text`."""
    try:
        raise ValueError(text)
    except ValueError as error:
        return logging.LogRecord("app", logging.ERROR, __file__, 1, "it failed", (), (type(error), error, None))


def test_a_json_record_is_one_line_whatever_a_client_calls_itself() -> None:
    line = JsonLines().format(record("client %s", HOSTILE))
    assert line.isascii() and line.isprintable()
    assert json.loads(line)["message"] == f"client {HOSTILE}"
    assert json.loads(line)["logger"] == "mcp.server"


def test_a_text_record_is_one_line_without_control_or_bidi_characters() -> None:
    line = TextLines().format(record("client %s", HOSTILE))
    assert line.isprintable()
    assert r"name\r\n2026-01-01" in line and r"\x1b[31m\u202e" in line


def test_no_line_of_a_trace_can_be_taken_for_a_record() -> None:
    lines = TextLines().format(failed(HOSTILE)).split("\n")
    assert len(lines) > 1 and all(line.startswith("    | ") for line in lines[1:])
    assert "ValueError" in json.loads(JsonLines().format(failed("x")))["trace"]


@pytest.mark.parametrize(
    ("secret", "left"),
    [
        ("4f" * 16, "4f4f4f4f..."),
        ("h_" + "Ab3-_x90" * 4, "h_Ab3-_x..."),
        ("sr_" + "x" * 43, "sr_..."),
        ("Bearer abc.def", "Bearer ..."),
        ("__Host-switchroom=" + "k" * 43, "__Host-switchroom=..."),
        ("/admin/login/link?token=abc", "/admin/login/link?token=..."),
    ],
)
def test_what_opens_something_is_cut_short(secret: str, left: str) -> None:
    assert without_secrets(f"seen {secret} here") == f"seen {left} here"


def test_real_session_ids_and_handles_are_cut_and_references_are_not() -> None:
    secret, handle = new_session_secret(), new_handle()
    assert secret not in without_secrets(f"({secret})") and handle not in without_secrets(f"'{handle}'")
    kept = "session 7ZK3M9QX2VWAB of w-1a2b3c, sha256 " + "ab" * 32
    assert without_secrets(kept) == kept


def test_what_an_error_quotes_of_its_input_is_masked_where_something_is_hidden() -> None:
    quoted = "password: a string [type=string_type, input_value={'a': 'sk-live...the-end'}, input_type=dict]"
    assert without_secrets(quoted, ["sk-live-and-the-end"]).endswith("input_value=[redacted], input_type=dict]")
    assert without_secrets(quoted) == quoted


def test_a_flood_of_like_records_is_held_back_and_counted() -> None:
    now = [0.0]
    throttle = Throttle(clock=lambda: now[0])
    passed = [throttle.filter(record("refused %s", number)) for number in range(1_000)]
    assert passed.count(True) == 30
    now[0] = 11.0
    again = record("refused %s", 1_000)
    assert throttle.filter(again)
    assert again.getMessage() == "refused 1000 (and 970 more like this, not shown)"


def test_an_answer_that_was_cut_is_no_error() -> None:
    cut = record("ASGI callable returned without completing response.", name="uvicorn.error", level=logging.ERROR)
    other = record("Exception in ASGI application", name="uvicorn.error", level=logging.ERROR)
    assert all(CutAnswers().filter(each) for each in (cut, other))
    assert (cut.levelname, other.levelname) == ("INFO", "ERROR")


def test_our_own_errors_are_never_held_back() -> None:
    throttle = Throttle(clock=lambda: 0.0)
    lost = [record("AUDIT %s", n, name="switchroom.server.operations", level=logging.ERROR) for n in range(100)]
    assert all(throttle.filter(each) for each in lost)


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """The root logger, put back as it was."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield root
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.parametrize(("log_format", "is_json"), [("json", True), ("text", False), ("auto", True)])
def test_the_format_is_chosen_by_setting_and_json_where_nobody_watches(
    root: logging.Logger, log_format: str, is_json: bool
) -> None:
    stream = io.StringIO()
    configure_logging(log_format, stream)
    logging.getLogger("somebody").warning("heard")
    assert stream.getvalue().startswith("{") is is_json
    assert stream.getvalue().endswith("heard\n") is not is_json
