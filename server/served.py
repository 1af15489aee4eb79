"""How each attached server is served, for whoever asks the server about itself."""

from __future__ import annotations

from typing import NamedTuple


class ServedAs(NamedTuple):
    """What one server was attached with."""

    stateless_http: bool
    json_response: bool
    mount_path: str
    streamable_http_path: str


class ServedServers:
    """By the server's name."""

    def __init__(self) -> None:
        self._known: dict[str, ServedAs] = {}

    def note(self, name: str, path: str, mount_path: str, *, stateless_http: bool, json_response: bool) -> None:
        """Keep how a server is served; `path` is the whole one, of which `mount_path` is the beginning, or `/`."""
        prefix = mount_path.rstrip("/")
        inside = path.startswith(f"{prefix}/")
        own = path.removeprefix(prefix) if inside else path
        self._known[name] = ServedAs(stateless_http, json_response, prefix or "/" if inside else "/", own)

    def of(self, name: str) -> ServedAs:
        """Return how a server is served; as by default where nothing was noted."""
        return self._known.get(name, ServedAs(False, False, "/", "/mcp"))
