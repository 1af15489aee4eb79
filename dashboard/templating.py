"""The Jinja environment, its filters, and the two ways to render: a page and a partial.

A context is a frozen dataclass that names its template and the one variable the template reads it
by; `tests/dashboard/test_template_contexts.py` holds both sides to it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, ClassVar, Protocol

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from . import formatting, visible
from .assets import SCRIPTS, STYLESHEETS, TEMPLATES_DIR
from .urls import Urls


class Context(Protocol):
    """What a template is rendered with."""

    template: ClassVar[str]
    """Path below `templates/`."""
    name: ClassVar[str]
    """The variable the template reads the context by."""


class Templates:
    """Renders contexts. Holds no request, so a streamed partial and a page come out alike."""

    def __init__(self, urls: Urls, *, now: Callable[[], float] = time.time) -> None:
        self.environment = _environment(urls, now)

    def render(self, context: Context, **shared: Context) -> str:
        """Return the context's template as text; `shared` are contexts of the layout around it."""
        values: dict[str, object] = {context.name: context, **{each.name: each for each in shared.values()}}
        return self.environment.get_template(context.template).render(values)


def _environment(urls: Urls, now: Callable[[], float]) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES_DIR),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    # Typed here: Jinja declares both tables with the types of its own entries only.
    filters: dict[str, Any] = environment.filters
    filters.update(_filters(now))
    shared: dict[str, Any] = environment.globals
    shared.update(urls=urls, stylesheets=STYLESHEETS, scripts=SCRIPTS)
    return environment


def _filters(now: Callable[[], float]) -> dict[str, Callable[..., str]]:
    def since(at: float) -> str:
        return formatting.age(now() - at)

    def until(at: float) -> str:
        return formatting.age(at - now())

    return {
        "age": formatting.age,
        "clock": formatting.clock,
        "count": formatting.count,
        "duration": formatting.duration,
        "iso": formatting.iso,
        "iso_seconds": formatting.iso_seconds,
        "plural": formatting.plural,
        "since": since,
        "until": until,
        "visible": visible.visible_text,
    }


def html_response(text: str, *, status: int = 200, headers: dict[str, str] | None = None) -> HTMLResponse:
    """Return rendered markup with the headers every page and partial carries."""
    return HTMLResponse(
        text, status_code=status, headers={"Cache-Control": "no-store", "Vary": "HX-Request", **(headers or {})}
    )


def is_partial_request(request: Request) -> bool:
    """Whether htmx asks for a part; a history restore comes without `HX-Request` and gets the whole page."""
    return request.headers.get("HX-Request") == "true"


def templates_of(request: Request) -> Templates:
    """Return the console's templates, which the composition root keeps in the application's state."""
    templates = request.app.state.templates
    assert isinstance(templates, Templates)
    return templates


def urls_of(request: Request) -> Urls:
    """Return the console's addresses, which the composition root keeps in the application's state."""
    urls = request.app.state.urls
    assert isinstance(urls, Urls)
    return urls
