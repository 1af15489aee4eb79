"""Errors as programs read them: `application/problem+json` (RFC 9457) with a stable `code`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final, NamedTuple

from starlette.responses import PlainTextResponse, Response

PROBLEM_TYPE: Final = "urn:switchroom:problem:"
"""Followed by the code. A name, not an address: nothing is to be fetched from it."""

_REASONS: Final = {413: "Content Too Large", 422: "Unprocessable Content"}
"""RFC 9110's names where `http.HTTPStatus` of Python 3.11 still has the older ones."""


class Problem(NamedTuple):
    """One refusal or failure, as it is answered."""

    status: int
    code: str
    """Stable; programs compare this and nothing else."""
    detail: str
    """One sentence for people that says what to do."""
    extra: Mapping[str, object] = {}
    """Further members of the JSON object."""
    headers: Mapping[str, str] = {}

    @property
    def title(self) -> str:
        """The status in words."""
        return _REASONS.get(self.status) or HTTPStatus(self.status).phrase

    def response(self) -> Response:
        """Return the problem as JSON."""
        members: dict[str, object] = {
            **self.extra,
            "type": PROBLEM_TYPE + self.code,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
        }
        # ASCII only: a detail may quote a client's text, lone surrogates included, which UTF-8 cannot carry.
        body = json.dumps(members, ensure_ascii=True, default=str).encode("ascii")
        return Response(body, self.status, dict(self.headers), "application/problem+json")


def plain_response(problem: Problem) -> Response:
    """Return the problem as a line of text, for answers given before any template is at hand."""
    text = f"{problem.status} {problem.title}\n\n{problem.detail}\n"
    return PlainTextResponse(text, problem.status, dict(problem.headers))
