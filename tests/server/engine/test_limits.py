"""The rate that one sender may keep."""

from __future__ import annotations

from switchroom.server.engine.limits import RateLimiter


def test_a_minutes_worth_may_come_at_once_and_then_only_the_rate() -> None:
    limiter = RateLimiter(60)
    assert [limiter.wait("a", 0.0) for _ in range(60)] == [0.0] * 60
    assert limiter.wait("a", 0.0) == 1.0
    assert limiter.wait("a", 0.5) == 0.5
    assert limiter.wait("a", 1.5) == 0.0
    assert limiter.wait("b", 1.5) == 0.0


def test_a_quiet_minute_gives_no_more_than_a_minutes_worth() -> None:
    limiter = RateLimiter(2)
    assert limiter.wait("a", 0.0) == 0.0
    assert [limiter.wait("a", 10_000.0) > 0 for _ in range(3)] == [False, False, True]


def test_senders_without_number_are_not_all_remembered() -> None:
    limiter = RateLimiter(1)
    limiter.wait("first", 0.0)
    for number in range(10_000):
        limiter.wait(f"other {number}", 0.0)
    assert limiter.wait("first", 0.0) == 0.0
    assert limiter.wait("other 9999", 0.0) > 0
