"""The Prometheus text format, version 0.0.4: what `/metrics` is written in.

Written here rather than by `prometheus_client`, whose registry is one per process: our counters belong to an engine.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

Labels = Mapping[str, str]
Sample = tuple[Labels, float]


class Exposition:
    """Collects metrics, each with its help and type, in the order they are added."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def gauge(self, name: str, help_: str, samples: float | Iterable[Sample]) -> None:
        """Add a value that goes up and down."""
        self._add(name, help_, "gauge", samples)

    def counter(self, name: str, help_: str, samples: float | Iterable[Sample]) -> None:
        """Add a value that only grows; `name` ends in `_total`."""
        self._add(name, help_, "counter", samples)

    def histogram(self, name: str, help_: str, bounds: Sequence[float], counts: Sequence[int], total: float) -> None:
        """Add a histogram.

        Args:
            bounds: Upper bounds, ascending, without the last one, which is infinite.
            counts: How many fell into each step, one more than `bounds`; not cumulated.
            total: The sum of everything observed.
        """
        self._head(name, help_, "histogram")
        seen = 0
        for bound, count in zip((*bounds, math.inf), counts, strict=True):
            seen += count
            self._line(f"{name}_bucket", {"le": _number(bound)}, seen)
        self._line(f"{name}_sum", {}, total)
        self._line(f"{name}_count", {}, seen)

    def text(self) -> str:
        """Return everything that was added."""
        return "".join(self._lines)

    def _add(self, name: str, help_: str, kind: str, samples: float | Iterable[Sample]) -> None:
        self._head(name, help_, kind)
        if isinstance(samples, int | float):
            self._line(name, {}, samples)
            return
        for labels, value in samples:
            self._line(name, labels, value)

    def _head(self, name: str, help_: str, kind: str) -> None:
        self._lines.append(f"# HELP {name} {_escaped(help_)}\n# TYPE {name} {kind}\n")

    def _line(self, name: str, labels: Labels, value: float) -> None:
        inside = ",".join(f'{label}="{_quoted(text)}"' for label, text in labels.items())
        self._lines.append(f"{name}{{{inside}}} {_number(value)}\n" if inside else f"{name} {_number(value)}\n")


def _number(value: float) -> str:
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value == int(value) else repr(float(value))


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _quoted(text: str) -> str:
    # Lone surrogates have no UTF-8; a label that holds one is a stranger's text.
    return _escaped(text.encode("utf-8", "replace").decode("utf-8")).replace('"', '\\"')
