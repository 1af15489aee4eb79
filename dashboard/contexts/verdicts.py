"""What an action did to each session: on its page in the audit log, and on the page of a job."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from ..urls import Urls
from .paging import Option

RESULTS_SHOWN: Final = 100


@dataclass(frozen=True, slots=True)
class SessionResult:
    """What an action did to one session."""

    name: ClassVar[str] = "reached"
    id: str
    url: str
    result: str


@dataclass(frozen=True, slots=True)
class Verdicts:
    """A page of results, and the choice between the kinds there are."""

    template: ClassVar[str] = "audit/_results.html"
    name: ClassVar[str] = "verdicts"
    rows: tuple[SessionResult, ...]
    total: int
    choices: tuple[Option, ...]
    next_url: str
    empty: str


def make_verdicts(
    counts: Mapping[str, int],
    found: Sequence[tuple[str, str]],
    urls: Urls,
    address: Callable[..., str],
    *,
    result: str = "",
    empty: str = "",
) -> Verdicts:
    """Return a page of results.

    Args:
        counts: Sessions by result, of the whole action.
        found: One more than a page when there is a next one.
        address: Turns `result` and `after` into the address of a page.
    """
    shown = found[:RESULTS_SHOWN]
    choices = [Option(f"All {sum(counts.values()):,}", address(), not result)]
    choices += [
        Option(f"{name} {number:,}", address(result=name), name == result) for name, number in list(counts.items())[:8]
    ]
    return Verdicts(
        rows=tuple(SessionResult(each, urls.session(each), said) for each, said in shown),
        total=counts.get(result, 0) if result else sum(counts.values()),
        choices=tuple(choices) if len(counts) > 1 else (),
        next_url=address(result=result, after=shown[-1][0]) if len(found) > len(shown) else "",
        empty=empty,
    )
