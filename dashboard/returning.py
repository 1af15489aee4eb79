"""Where an operator goes after signing in: the page that asked for it, and never another site."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote, urlsplit

from starlette.requests import Request

from .urls import Urls

MAX_NEXT_LENGTH: Final = 2_000

_PRINTABLE: Final = re.compile(r"[!-\[\]-~]*")
"""Visible ASCII without the backslash, which browsers read as a slash."""


def safe_next(text: str, urls: Urls) -> str:
    """Return `text` when it is a path of this console, else the overview's."""
    is_path = text.startswith(f"{urls.prefix}/") and not text.startswith("//")
    if not is_path or len(text) > MAX_NEXT_LENGTH or not _PRINTABLE.fullmatch(text):
        return urls.overview()
    path = urlsplit(text).path
    inside = unquote(path[len(urls.prefix) :])
    if "//" in inside or not {".", ".."}.isdisjoint(inside.split("/")):
        return urls.overview()  # browsers take dots away, and what is left may lead out of the console
    own = (urls.sign_in(), urls.sign_out())
    return urls.overview() if path.startswith(own) else text


def sign_in_address(request: Request, urls: Urls, *, has_ended: bool) -> str:
    """Return the sign-in page's address that leads back to the page of this request.

    Args:
        has_ended: Whether the page should say that an earlier sign-in has ended.
    """
    here = _page_of(request)
    back = safe_next(here, urls) if here else ""
    return urls.at("/login", next="" if back == urls.overview() else back, ended=has_ended)


def _page_of(request: Request) -> str:
    current = request.headers.get("HX-Current-URL")
    if current is not None:
        parts = urlsplit(current)
        return parts.path + (f"?{parts.query}" if parts.query else "")
    if request.method not in ("GET", "HEAD"):
        return ""
    raw: bytes = request.scope.get("raw_path") or request.scope["path"].encode("utf-8", "surrogateescape")
    query: bytes = request.scope["query_string"]
    return (raw + (b"?" + query if query else b"")).decode("latin-1")
