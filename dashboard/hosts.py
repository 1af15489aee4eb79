"""Host names as requests carry them: taken apart, compared, and told from loopback.

Only the `Host` header and the scheme of the connection are ever read. `X-Forwarded-Host` is not: a
proxy that is trusted (uvicorn's `--forwarded-allow-ips`) keeps `Host` and changes the scheme.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from ..server.settings import Settings

_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(?P<port>[0-9]{1,5}))?")

_DEFAULT_PORTS = {"http": 80, "https": 443}


class HostPort(NamedTuple):
    """A host name in lower case, without brackets or a final dot, and the port when one was given."""

    name: str
    port: int | None


def parse_host(text: str) -> HostPort | None:
    """Return the parts of a `Host` value, or `None` for anything else."""
    match = _HOST.fullmatch(text)
    if match is None:
        return None
    port = match["port"]
    return HostPort(match["name"].strip("[]").lower().removesuffix("."), int(port) if port else None)


def is_loopback(name: str) -> bool:
    """Whether a host name (without port) means this machine, so that plain http does not leave it."""
    if name == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class AllowedHosts:
    """Which `Host` values this console answers to: loopback, its own address, and those of the settings."""

    entries: frozenset[HostPort]

    @classmethod
    def of(cls, settings: Settings) -> AllowedHosts:
        named = [text.strip() for text in settings.allowed_hosts.split(",")]
        # An address of our own is safe against DNS rebinding; "every address" is not a name of ours.
        listening = {settings.host, settings.console_host} - {"", "0.0.0.0", "::"}
        own = [_bracketed(host) for host in sorted(listening)]
        return cls(frozenset(host for text in (*named, *own) if (host := parse_host(text)) is not None))

    def __contains__(self, host: HostPort) -> bool:
        return is_loopback(host.name) or host in self.entries or HostPort(host.name, None) in self.entries


def allowed_origins(settings: Settings) -> frozenset[str]:
    """Return the origins, as browsers write them, whose writes are accepted beside our own."""
    listed = (text.strip().rstrip("/").lower() for text in settings.allowed_origins.split(","))
    return frozenset(text for text in listed if text)


def is_same_origin(origin: str, scheme: str, host: HostPort) -> bool:
    """Whether an `Origin` value names the scheme, host and port of the request itself."""
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        return False
    default = _DEFAULT_PORTS.get(scheme)
    return (
        parts.scheme == scheme
        and parts.hostname == host.name
        and (port or default) == (host.port or default)
        and not (parts.path or parts.query or parts.fragment or parts.username)
    )


def host_of(connection: HTTPConnection) -> HostPort | None:
    """Return the request's one host, or `None` when there is none, two, or one that is not a host."""
    values = connection.headers.getlist("host")
    return parse_host(values[0]) if len(values) == 1 else None


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
