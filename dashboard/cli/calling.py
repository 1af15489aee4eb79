"""Asking a running server through its API, with what is said when that does not work."""

from __future__ import annotations

import http.client
import json
from typing import Any, cast
from urllib.parse import SplitResult, urlsplit

from ...server.errors import StartupError
from ..visible import visible_text

_MAX_ANSWER = 1024 * 1024
_REFUSED = (403, 409)


def ask(
    url: str,
    token: str,
    path: str,
    body: dict[str, object] | None,
    *,
    how: str,
    member: str,
    timeout: float,
    method: str = "POST",
) -> dict[str, Any]:
    """Send a request to a running server's API and return the object it answers.

    Args:
        how: How to make a token that may, for the error.
        member: What the answer of a Switchroom has in it.

    Raises:
        StartupError: The server cannot be reached, does not let us in, or is no Switchroom.
    """
    address = _address(url)
    kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    try:
        # Not urllib: it would follow a redirect with the token, and take a proxy to loopback.
        connection = kind(cast("str", address.hostname), address.port, timeout=timeout)
        try:
            connection.request(method, address.path.rstrip("/") + path, _body(body), headers)
            response = connection.getresponse()
            status, content = response.status, response.read(_MAX_ANSWER)
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error) or "no answer"
        raise StartupError(
            f"The server at {url} cannot be reached ({reason}): start it, or name it with --url."
        ) from error
    return _read(url, status, content, how=how, member=member)


def _address(url: str) -> SplitResult:
    refused = StartupError(f"{url} is no address: write --url http://127.0.0.1:8000.")
    try:
        address = urlsplit(url)
        is_usable = address.scheme in ("http", "https") and bool(address.hostname) and address.port != 0
    except ValueError:
        raise refused from None
    if not is_usable:
        raise refused
    return address


def _body(body: dict[str, object] | None) -> bytes:
    return b"" if body is None else json.dumps(body).encode("ascii")


def _read(url: str, status: int, content: bytes, *, how: str, member: str) -> dict[str, Any]:
    if status == 401:
        raise StartupError(f"The token is not valid at {url}: {how}.")
    try:
        answer: object = json.loads(content)
    except ValueError:
        answer = None
    members = cast("dict[str, Any]", answer) if isinstance(answer, dict) else {}
    if status == 200 and member in members:
        return members
    detail = visible_text(members.get("detail", f"HTTP {status}"))
    if status in _REFUSED and "code" in members:
        raise StartupError(f"{url} refuses: {detail}")
    raise StartupError(f"{url} does not answer as Switchroom's API does ({detail}): check --url.")
