"""What the overview shows, read from the directory; the page and its live stream ask here."""

from __future__ import annotations

from typing import Final

from ..server.directory import Directory
from ..server.filters import parse_filter
from .contexts.overview import Attention, NumberStrip, Recent, make_attention, make_recent, make_strip
from .contexts.sessions import FacetStrip, make_facets
from .urls import Urls

_CONCERNS: Final = {
    "stuck in the handshake for over 30 s": "state:initializing age:>30s",
    "without a finished handshake for over 30 s": "state:not_initialized age:>30s",
    "rejected at the handshake in the last 5 min": "state:rejected age:<5m",
    "with 10 calls in flight or more": "inflight:>=10",
    "with errors, heard in the last 5 min": "errors:>0 seen:<5m",
}
"""The end of the sentence, and the filter whose matches it counts."""

_DEEDS: Final = 8


async def numbers(directory: Directory, urls: Urls) -> NumberStrip:
    """Return the numbers."""
    return make_strip(directory.health(), len(await directory.clients()), urls)


async def states(directory: Directory, urls: Urls) -> FacetStrip:
    """Return the strip of states; every part leads to the list."""
    query = parse_filter("")
    return make_facets(await directory.count_by_status(query), query, urls.sessions, is_filter=False)


async def attention(directory: Directory, urls: Urls) -> Attention:
    """Return what needs somebody."""
    counts = {words: (await directory.count(parse_filter(query)), query) for words, query in _CONCERNS.items()}
    return make_attention(directory.health(), counts, urls)


async def recent(directory: Directory, urls: Urls) -> Recent:
    """Return the latest operator actions."""
    return make_recent(await directory.audit(limit=_DEEDS), urls)
