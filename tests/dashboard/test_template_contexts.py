"""Templates are a contract: each context's fields are exactly what its template reads."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections import defaultdict
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest
from jinja2 import nodes

from switchroom.dashboard import charts, contexts, highlight
from switchroom.dashboard.assets import TEMPLATES_DIR
from switchroom.dashboard.templating import Templates
from switchroom.dashboard.urls import Urls

TEMPLATES = sorted(path.relative_to(TEMPLATES_DIR).as_posix() for path in TEMPLATES_DIR.rglob("*.html"))


def context_classes() -> list[type]:
    modules = [highlight]
    for package in (contexts, charts):
        found = pkgutil.iter_modules(package.__path__, f"{package.__name__}.")
        modules += [importlib.import_module(module.name) for module in found]
    return [
        each
        for module in modules
        for each in vars(module).values()
        if isinstance(each, type)
        and is_dataclass(each)
        and each.__module__ == module.__name__
        and isinstance(vars(each).get("name"), str)
    ]


def declared() -> dict[str, set[str]]:
    by_name: dict[str, set[str]] = defaultdict(set)
    for each in context_classes():
        by_name[vars(each)["name"]] |= {field.name for field in fields(each)}
    return by_name


def properties() -> dict[str, set[str]]:
    by_name: dict[str, set[str]] = defaultdict(set)
    for each in context_classes():
        by_name[vars(each)["name"]] |= {name for name, value in vars(each).items() if isinstance(value, property)}
    return by_name


def reads() -> dict[str, set[str]]:
    environment = Templates(Urls()).environment
    by_name: dict[str, set[str]] = defaultdict(set)
    for template in TEMPLATES:
        tree = environment.parse((TEMPLATES_DIR / template).read_text())
        for access in tree.find_all(nodes.Getattr):
            owner = access.node
            if isinstance(owner, nodes.Name):
                by_name[owner.name].add(access.attr)
            elif isinstance(owner, nodes.Getattr):
                by_name[owner.attr].add(access.attr)
    return by_name


@pytest.mark.parametrize("name", sorted(declared()))
def test_a_context_has_exactly_the_fields_that_templates_read(name: str) -> None:
    read = reads()[name]
    assert read <= declared()[name] | properties()[name]
    assert declared()[name] <= read


@pytest.mark.parametrize("each", context_classes(), ids=lambda each: each.__name__)
def test_the_template_a_context_names_exists(each: type) -> None:
    template = vars(each).get("template")
    assert template is None or template in TEMPLATES


@pytest.mark.parametrize("template", TEMPLATES)
def test_templates_hold_nothing_the_policy_forbids(template: str) -> None:
    text = Path(TEMPLATES_DIR / template).read_text()
    assert not re.search(r"\|\s*safe\b|\bMarkup\b|autoescape", text)
    assert not re.search(r"\sstyle=|<style|\son[a-z]+=|hx-on|hx-vals=['\"]js:|javascript:", text)
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)
    assert not re.search(r"=\{\{", text), "attributes are quoted"
    assert len(text.splitlines()) <= 60
