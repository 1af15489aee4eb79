"""The rows of the list of sessionless clients, with the handles that each one holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..server.directory import Directory
from ..server.directory.sessions import client_key
from ..server.filters import quote_value
from ..server.models import Session
from .contexts.clients import ClientRow, make_client_row
from .urls import Urls


def client_rows(directory: Directory, clients: Sequence[Session], urls: Urls) -> Iterator[ClientRow]:
    """Return a row for each client, in the order given."""
    held = directory.handle_counts()
    return (make_client_row(each, held[client_key(each)], handles_url(urls, each)) for each in clients)


def handles_url(urls: Urls, session: Session) -> str:
    """Return where the handles of a client are listed."""
    query = f"kind:handle client:{quote_value(session.client_name)}" if session.client_name else "kind:handle"
    return urls.sessions(query)
