"""The results as Markdown, claims first: what is printed and what docs/benchmarks.md holds are one text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bench.section import Section, Table

HEAD = """\
Written by `make bench`, which measures this again on your machine in about ten minutes; `make bench ARGS="--only KEY"`
measures one section, whose key stands behind its title, and prints it. Ratios are measured side by side in one run."""


def render(sections: Sequence[Section], machine: Iterable[tuple[str, str]]) -> str:
    """Return the whole page."""
    claims = [
        (claim.title, claim.measured, claim.goal, "met" if claim.is_met else "**not met**")
        for section in sections
        for claim in section.claims
    ]
    settings = [("settings", setting) for section in sections for setting in section.settings]
    parts = ["# Benchmarks", HEAD, "## How far from the goals", table(("", "measured", "goal", ""), claims)]
    parts += [part for section in sections for part in _section(section)]
    parts += ["## On what", table(("", ""), [*machine, *settings])]
    return "\n\n".join(parts) + "\n"


def _section(section: Section) -> Iterable[str]:
    yield f"## {section.title} (`{section.key}`)"
    for each in section.tables:
        yield from _captioned(each)
    yield section.method


def _captioned(each: Table) -> Iterable[str]:
    if each.caption:
        yield f"{each.caption}:"
    yield table(each.head, each.rows)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
