"""The charts of the overview: sessions, requests by era, errors with the worst method, latency."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, NamedTuple

from ...server.directory import RANGES, Trends
from ...server.models import Figures, joined, percentile_us
from ..charts.lines import Line, Mark, Moment, Sample, Scale, draw, linear, logarithmic, marks_of, moments
from ..formatting import count, duration, rate, share, size
from ..urls import Urls

_TABLE_ROWS: Final = 15

_MODERN: Final = "2026-07-28"
_MEGABYTE: Final = 1024.0 * 1024

_WORDS: Final = {"15m": "the last 15 minutes", "1h": "the last hour", "24h": "the last 24 hours"}


@dataclass(frozen=True, slots=True)
class ChartRow:
    """One row of a chart's table: a stretch of time and each line's value in it."""

    name: ClassVar[str] = "stretch"
    at: float
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart; the stream replaces it as a whole."""

    template: ClassVar[str] = "overview/_chart.html"
    name: ClassVar[str] = "chart"
    key: str
    title: str
    url: str
    note: str
    sentence: str
    """What is to be seen, for those who do not see it."""
    lines: tuple[Line, ...]
    marks: tuple[Mark, ...]
    moments: tuple[Moment, ...]
    rows: tuple[ChartRow, ...]


@dataclass(frozen=True, slots=True)
class RangeOption:
    """One choice of how far back the charts go."""

    name: ClassVar[str] = "option"
    label: str
    url: str
    is_current: bool


class _Series(NamedTuple):
    """One line before it is drawn."""

    css: str
    label: str
    value: Callable[[Figures], float | None]
    is_filled: bool = False


def make_ranges(current: str, urls: Urls) -> tuple[RangeOption, ...]:
    """Return the choices; the first one is the overview's own address."""
    return tuple(
        RangeOption(each.words, urls.overview("" if each is RANGES[0] else each.name), each.name == current)
        for each in RANGES
    )


def range_words(trends: Trends) -> str:
    """Return the range as part of a sentence."""
    return _WORDS[trends.range.name]


def make_charts(trends: Trends, urls: Urls) -> tuple[Chart, ...]:
    """Return the four charts of a range."""
    return (_sessions(trends, urls), _requests(trends, urls), _errors(trends, urls), _latency(trends, urls))


def make_health_charts(trends: Trends, urls: Urls) -> tuple[Chart, ...]:
    """Return memory beside the number of sessions: what grows without them is a leak."""
    memory = (_Series("handshake", "Resident", _memory, is_filled=True),)
    return (
        _chart(trends, "memory", "Memory, 24 h", urls.health(), "", memory, size, _memory_scale),
        _sessions(trends, urls),
    )


def _sessions(trends: Trends, urls: Urls) -> Chart:
    series = (_Series("all", "Live", _live, is_filled=True), _Series("active", "Active", _active))
    return _chart(trends, "sessions", "Active sessions", urls.sessions("state:live"), "", series, count, _count_scale)


def _requests(trends: Trends, urls: Urls) -> Chart:
    series = (_Series("handshake", "Handshake era", _handshake, is_filled=True), _Series("modern", _MODERN, _modern))
    return _chart(
        trends,
        "requests",
        "Requests per second, by era",
        urls.events(within=trends.range.name),
        "",
        series,
        rate,
        linear,
    )


def _errors(trends: Trends, urls: Urls) -> Chart:
    series = (_Series("errors", "Errors", _error_percent, is_filled=True),)
    url = urls.events(errors=True, within=trends.range.name)
    return _chart(trends, "errors", "Error rate", url, worst_method(trends.total), series, _percent, _percent_scale)


def _latency(trends: Trends, urls: Urls) -> Chart:
    def at(part: float) -> Callable[[Figures], float | None]:
        def value(each: Figures) -> float | None:
            found = percentile_us(each.latency, part)
            return None if found is None else found / 1e6

        return value

    series = (_Series("p99", "p99", at(0.99)), _Series("p95", "p95", at(0.95)), _Series("p50", "p50", at(0.5)))
    return _chart(
        trends,
        "latency",
        "Latency p50 / p95 / p99",
        urls.events(kind="response", within=trends.range.name),
        "",
        series,
        duration,
        logarithmic,
    )


def worst_method(total: Figures) -> str:
    """Return the method that failed most often, in words; empty when nothing failed."""
    name, (answers, errors) = max(total.by_name.items(), key=lambda item: item[1][1], default=("", (0, 0)))
    return f"Worst: {name}, {share(errors, answers)} of {count(answers)}" if errors else ""


def _chart(
    trends: Trends,
    key: str,
    title: str,
    url: str,
    note: str,
    series: Sequence[_Series],
    words: Callable[[float], str],
    scale_of: Callable[[Sequence[float]], Scale],
) -> Chart:
    start, end = trends.start, trends.end
    sampled = [[_sample(point, each) for point in trends.points] for each in series]
    found = [[sample.value for sample in samples if sample.value is not None] for samples in sampled]
    scale = scale_of([value for values in found for value in values])
    lines: list[Line] = []
    for each, samples, values in zip(series, sampled, found, strict=True):
        path, area = draw(samples, scale, start=start, end=end, is_filled=each.is_filled)
        lines.append(Line(each.css, each.label, words(values[-1]) if values else "-", path, area))
    said = [_said(each.label, values, words) for each, values in zip(series, found, strict=True)]
    sentence = f"{title} over {range_words(trends)}. {' '.join(said)} {note}".strip()
    return Chart(
        key=key,
        title=title,
        url=url,
        note=note,
        sentence=sentence,
        lines=tuple(lines),
        marks=marks_of(scale, words),
        moments=moments(start, end),
        rows=_rows(trends, series, words),
    )


def _sample(point: Figures, series: _Series) -> Sample:
    return Sample(point.at + point.seconds / 2, point.seconds, series.value(point))


def _said(label: str, values: Sequence[float], words: Callable[[float], str]) -> str:
    if not values:
        return f"{label}: nothing yet."
    return f"{label}: {words(values[-1])} at the end, from {words(min(values))} to {words(max(values))}."


def _rows(trends: Trends, series: Sequence[_Series], words: Callable[[float], str]) -> tuple[ChartRow, ...]:
    step = trends.range.seconds // _TABLE_ROWS
    stretches: dict[int, list[Figures]] = {}
    for point in trends.points:
        stretches.setdefault(point.at // step * step, []).append(point)
    rows: list[ChartRow] = []
    for at, points in sorted(stretches.items(), reverse=True):
        whole = joined(points, at)
        values = [each.value(whole) for each in series]
        rows.append(ChartRow(at, tuple("-" if value is None else words(value) for value in values)))
    return tuple(rows)


def _live(each: Figures) -> float:
    return each.gauges.live


def _active(each: Figures) -> float:
    return each.gauges.active


def _memory(each: Figures) -> float | None:
    return each.gauges.memory_bytes or None


def _handshake(each: Figures) -> float:
    return each.handshake / max(1, each.seconds)


def _modern(each: Figures) -> float:
    return each.modern / max(1, each.seconds)


def _error_percent(each: Figures) -> float | None:
    return 100 * each.errors / each.answers if each.answers else None


def _percent(value: float) -> str:
    return share(value, 100)


def _count_scale(values: Sequence[float]) -> Scale:
    return linear(values, least=2.0)


def _memory_scale(values: Sequence[float]) -> Scale:
    return linear([value / _MEGABYTE for value in values], unit=_MEGABYTE)


def _percent_scale(values: Sequence[float]) -> Scale:
    return linear(values, least=1.0) if max(values, default=0.0) <= 50 else linear([100.0])
