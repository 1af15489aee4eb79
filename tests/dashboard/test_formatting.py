"""Numbers, sizes and times as operators read them."""

from __future__ import annotations

import pytest

from switchroom.dashboard import formatting


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (8412, "8,412"), (99_999, "99,999"), (104_200, "104k"), (999_499, "999k"), (2_100_000, "2.1M")],
)
def test_counts_are_exact_up_to_five_digits(value: int, text: str) -> None:
    assert formatting.count(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0 B"), (341, "341 B"), (1024, "1.0 KB"), (3277, "3.2 KB"), (1023 * 1024, "1.0 MB"), (2_202_009, "2.1 MB")],
)
def test_sizes_have_units_of_1024(value: int, text: str) -> None:
    assert formatting.size(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0004, "0.4 ms"), (0.018, "18 ms"), (1.9, "1.9 s"), (5.0, "5.0 s"), (12.3, "12 s"), (150, "2m")],
)
def test_durations_are_short(seconds: float, text: str) -> None:
    assert formatting.duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(-3, "0s"), (59.9, "59s"), (60, "1m"), (8040, "2h 14m"), (7200, "2h"), (97_200, "1d 3h")]
)
def test_ages_have_at_most_two_units(seconds: float, text: str) -> None:
    assert formatting.age(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (0.001, "<0.01"), (0.42, "0.42"), (14.1, "14.1"), (1204, "1,204"), (3, "3")]
)
def test_rates_have_three_figures(value: float, text: str) -> None:
    assert formatting.rate(value) == text


@pytest.mark.parametrize(
    ("part", "whole", "text"), [(0, 9, "0%"), (1, 0, "0%"), (7, 1284, "0.5%"), (1, 9000, "<0.1%"), (21, 50, "42%")]
)
def test_a_share_that_exists_is_never_nothing(part: int, whole: int, text: str) -> None:
    assert formatting.share(part, whole) == text


def test_times_are_written_in_utc() -> None:
    assert formatting.iso(1_795_357_926.2042) == "2026-11-22T14:32:06.204Z"
    assert formatting.iso_seconds(1_795_357_926.2) == "2026-11-22T14:32:06Z"
    assert formatting.clock(1_795_357_926.2042) == "14:32:06.204"
    assert formatting.clock(1_795_357_926.2042, with_ms=False) == "14:32:06"


def test_one_is_singular() -> None:
    assert [formatting.plural(n, "session") for n in (0, 1, 3128)] == ["0 sessions", "1 session", "3,128 sessions"]
