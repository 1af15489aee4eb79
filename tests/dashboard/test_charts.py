"""Charts: geometry that fits its frame and leaves nothing out."""

from __future__ import annotations

import json
from itertools import pairwise

from switchroom.dashboard.charts.bars import draw_bars
from switchroom.dashboard.charts.lanes import Lane, draw_lanes, kept_lanes
from switchroom.dashboard.charts.shares import divide
from switchroom.server.models import Direction, Era, Event, EventKind, InFlight, Session, SessionKind, SessionState

NOW = 10_000.0


def session(**values: object) -> Session:
    base = dict.fromkeys(("server", "worker_id", "mcp_session_id_prefix", "client_name", "client_version"), "")
    numbers = ("request_count", "error_count", "in_flight", "open_streams", "key_count", "event_count", "trimmed_seq")
    given = {
        **base,
        **dict.fromkeys(numbers, 0),
        **dict.fromkeys(("bytes_in", "bytes_out"), 0),
        **dict.fromkeys(("principal", "expires_at", "ended_at", "end_code", "end_by", "end_reason", "log_level")),
        "id": "0123456789ABC",
        "kind": SessionKind.STREAMABLE_HTTP,
        "state": SessionState.INITIALIZED,
        "status": "active",
        "era": Era.HANDSHAKE,
        "protocol_version": "2025-11-25",
        "address": "127.0.0.1",
        "created_at": NOW - 600,
        "last_activity_at": NOW,
        **values,
    }
    return Session(**given)  # type: ignore[arg-type]


def answer(seq: int, at: float, took: float, *, error: int | None = None, method: str = "tools/call") -> Event:
    kind = EventKind.RESPONSE if error is None else EventKind.ERROR
    return Event(seq, 1, at, Direction.FROM_SERVER, kind, method, duration_us=int(took * 1e6), error_code=error)


def stream_event(seq: int, at: float, name: str, after: int = 0) -> Event:
    return Event(seq, 1, at, Direction.LOCAL, EventKind.STREAM, name, payload=json.dumps({"stream": 0, "after": after}))


def lane(lanes: tuple[Lane, ...], label: str) -> Lane:
    return next(each for each in lanes if each.label == label)


def test_bars_show_every_step_and_errors_from_the_bottom() -> None:
    bars = draw_bars([(0, 0)] * 22 + [(10, 0), (5, 5)])
    assert bars.older.count("M") == 22 and bars.newest == "M67 16v-14M70 16v-7"
    assert bars.errors == "M70 16v-7"


def test_bars_of_a_quiet_session_are_a_base_line() -> None:
    bars = draw_bars(())
    assert bars.older.count("v-1") == 22 and bars.newest.count("v-1") == 2 and bars.errors == ""


def test_shares_fill_the_bar_and_the_smallest_is_visible() -> None:
    parts = divide({"active": 9_999, "rejected": 1, "closed": 0})
    assert [part.status for part in parts] == ["active", "rejected"]
    assert parts[1].width >= 0.2 and parts[1].x + parts[1].width <= 100


def test_shares_leave_room_for_what_is_pending() -> None:
    assert divide({"delivered": 50}, out_of=100)[0].width < 51
    assert divide({}) == ()


def test_a_call_is_drawn_from_its_request_to_its_answer() -> None:
    drawn = draw_lanes(session(), [answer(1, NOW - 100, 50.0)], [], start=NOW - 200, end=NOW)
    (span,) = lane(drawn.lanes, "tools/call").spans
    assert (span.x, span.width, span.css) == (25.0, 25.0, "c")


def test_errors_open_calls_and_server_requests_look_different() -> None:
    sampling = answer(2, NOW - 50, 1.0, method="sampling/createMessage")._replace(direction=Direction.FROM_CLIENT)
    calls = [InFlight("9", 3, "tools/call", "slow", NOW - 20, False, None, None, False)]
    events = [answer(1, NOW - 100, 1.0, error=-32001), sampling]
    drawn = draw_lanes(session(), events, calls, start=NOW - 200, end=NOW)
    assert [span.css for span in lane(drawn.lanes, "tools/call").spans] == ["c open", "x"]
    assert lane(drawn.lanes, "tools/call").errors == 1
    assert lane(drawn.lanes, "tools/call").open == 1
    assert [span.css for span in lane(drawn.lanes, "sampling").spans] == ["s"]


def test_a_question_that_waits_for_its_client_is_drawn_as_open() -> None:
    calls = [InFlight("9", 3, "tools/call", "ask", NOW - 20, True, None, None, False)]
    asked = Event(4, 1, NOW - 10, Direction.FROM_SERVER, EventKind.REQUEST, "elicitation/create", stream=3)
    drawn = draw_lanes(session(), [asked], calls, start=NOW - 200, end=NOW)
    assert [(span.css, span.x) for span in lane(drawn.lanes, "elicitation").spans] == [("s open", 95.0)]
    answered = draw_lanes(session(), [asked], [calls[0]._replace(waiting_for_client=False)], start=NOW - 200, end=NOW)
    assert "elicitation" not in [each.label for each in answered.lanes]


def test_states_follow_one_another_in_the_first_lane() -> None:
    def state(seq: int, at: float, name: str) -> Event:
        return Event(seq, 1, at, Direction.LOCAL, EventKind.LIFECYCLE, name)

    events = [state(1, NOW - 150, "initializing"), state(2, NOW - 140, "initialized"), state(3, NOW - 50, "detached")]
    drawn = draw_lanes(session(created_at=NOW - 150), events, [], start=NOW - 200, end=NOW)
    spans = lane(drawn.lanes, "Lifecycle").spans
    assert {span.css: (span.x, span.x + span.width) for span in spans}["life detached"] == (75.0, 100.0)
    assert {"life init", "life", "life detached"} >= {span.css for span in spans}


def test_lanes_stay_where_they_are_while_the_chart_moves_on() -> None:
    first = draw_lanes(session(), [answer(1, NOW - 190, 1, method="tools/list")], [], start=NOW - 200, end=NOW)
    then = draw_lanes(session(), [answer(2, NOW + 5, 1)], [], start=NOW, end=NOW + 200, keep=kept_lanes(first))
    assert [each.label for each in then.lanes] == ["Lifecycle", "tools/call", "tools/list", "notifications"]
    assert lane(then.lanes, "tools/list").spans == ()


def test_what_the_log_does_not_tell_is_marked() -> None:
    drawn = draw_lanes(session(created_at=NOW - 150), [], [], start=NOW - 200, end=NOW, known_from=NOW - 100)
    assert drawn.lost is not None and (drawn.lost.x, drawn.lost.width) == (25.0, 25.0)
    assert draw_lanes(session(), [], [], start=NOW - 200, end=NOW, known_from=NOW - 300).lost is None


def test_the_marks_of_the_time_axis_are_round_times() -> None:
    for length in (30, 300, 900, 3_600, 90_000, 9_000_000):
        ticks = draw_lanes(session(), [], [], start=NOW - length, end=NOW).ticks
        assert 2 <= len(ticks) <= 8 and ticks[-1].is_now and ticks[-1].x == 100
        steps = {round(b.at - a.at) for a, b in pairwise(ticks[:-1])}
        assert len(steps) <= 1 and all(tick.at % min(steps, default=10) == 0 for tick in ticks[:-1])


def test_a_gap_of_the_standalone_stream_is_shown_with_where_it_resumed() -> None:
    events = [
        stream_event(1, NOW - 180, "opened"),
        stream_event(2, NOW - 100, "closed"),
        stream_event(3, NOW - 89, "resumed", 2),
    ]
    drawn = draw_lanes(session(), events, [], start=NOW - 200, end=NOW)
    assert [span.css for span in lane(drawn.lanes, "GET stream").spans] == ["stream", "gap", "stream"]
    assert drawn.gaps == ((11.0, 2),) and drawn.stream_seconds == 80 + 89


def test_nothing_leaves_the_chart() -> None:
    events = [answer(n, NOW - n * 7, 400.0 if n % 5 == 0 else 0.001) for n in range(1, 40)][::-1]
    drawn = draw_lanes(session(created_at=NOW - 9_000), events, [], start=NOW - 200, end=NOW)
    spans = [span for each in drawn.lanes for span in each.spans]
    assert spans and all(span.x >= 0 and span.x + span.width <= 100.01 for span in spans)
