"""What the overview shows, read from the directory; the page and its live stream ask here."""

from __future__ import annotations

from typing import Final

from ..server.attach import Switchroom
from ..server.directory import Directory, Trends
from ..server.filters import parse_filter
from .attention import concerns
from .contexts.overview import Attention, NumberStrip, Recent, make_attention, make_recent, make_strip
from .contexts.sessions import FacetStrip, make_facets
from .urls import Urls

_DEEDS: Final = 8


def numbers(directory: Directory, trends: Trends, urls: Urls) -> NumberStrip:
    """Return the numbers."""
    return make_strip(directory.health(), trends, urls)


async def states(directory: Directory, urls: Urls) -> FacetStrip:
    """Return the strip of states; every part leads to the list."""
    query = parse_filter("")
    return make_facets(await directory.count_by_status(query), query, urls.sessions, is_filter=False)


async def attention(room: Switchroom, urls: Urls) -> Attention:
    """Return what needs somebody."""
    return make_attention(await concerns(room, urls))


async def recent(directory: Directory, urls: Urls) -> Recent:
    """Return the latest operator actions."""
    return make_recent(await directory.audit(limit=_DEEDS), urls)
