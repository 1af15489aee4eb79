"""From an error to an answer, once: code -> status -> problem+json, a full page, or a part of one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from ..server.errors import LimitReached, NotSignedIn, StoreUnavailable, SwitchroomError
from .contexts.errors import ErrorPage, InlineError
from .problems import Problem
from .returning import sign_in_address
from .templating import html_response, is_partial_request, templates_of, urls_of

STATUSES: Final[Mapping[str, int]] = MappingProxyType(
    {
        "invalid_input": 422,
        "not_found": 404,
        "already_ended": 409,
        "conflict": 409,
        "forbidden": 403,
        "not_signed_in": 401,
        "unsupported": 409,
        "cannot_open": 409,
        "limit_reached": 429,
        "store_unavailable": 503,
        "store_damaged": 503,
        "overloaded": 503,
    }
)
"""Every code of `server.errors` that a request can meet."""

_HTTP_CODES: Final[Mapping[int, str]] = MappingProxyType(
    {
        400: "bad_request",
        404: "not_found",
        405: "method_not_allowed",
        408: "timeout",
        413: "too_large",
        415: "unsupported_media_type",
    }
)

_HTTP_DETAILS: Final[Mapping[int, str]] = MappingProxyType(
    {404: "There is nothing at this address.", 405: "This address does not take that method."}
)
"""For errors of the router, which only repeat the status in words."""

_RETRY_SECONDS: Final = 5

_REFERENCE: Final = re.compile(r"[0-9A-Z]{13}")

_INTERNAL: Final = Problem(500, "internal_error", "Something went wrong here. The server's log says what.")


def install_error_handlers(app: FastAPI) -> None:
    """Make `app` answer every error in the form its caller reads.

    Unknown exceptions get a neutral 500 and travel on, so that the `Guard` (or the server) logs them.
    """
    for kind in (SwitchroomError, HTTPException, RequestValidationError, Exception):
        app.add_exception_handler(kind, answer_error)


async def answer_error(request: Request, error: Exception) -> Response:
    """Return the answer to an error: problem+json, a part for htmx, or a page."""
    problem = problem_of(error)
    if isinstance(error, NotSignedIn):
        return _not_signed_in(request, problem, has_ended=bool(error.detail.get("has_ended")))
    if wants_json(request):
        return problem.response()
    return _html(request, problem)


def problem_of(error: Exception) -> Problem:
    """Return what is said about an error; nothing of an unknown one is told."""
    if isinstance(error, SwitchroomError):
        status = STATUSES.get(error.code, 500)
        if status == 500:
            return _INTERNAL
        extra = {name: value for name, value in error.detail.items() if value is not None}
        return Problem(status, error.code, error.message, extra, _headers(error))
    if isinstance(error, HTTPException):
        code = _HTTP_CODES.get(error.status_code, "http_error")
        problem = Problem(error.status_code, code, str(error.detail), {}, error.headers or {})
        return problem._replace(detail=_HTTP_DETAILS.get(problem.status, problem.detail))
    if isinstance(error, RequestValidationError):
        return _validation_problem(error)
    return _INTERNAL


def wants_json(request: Request) -> bool:
    """Whether a program reads the answer: the API, a live stream, or whoever accepts JSON and not HTML."""
    path: str = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    accept = request.headers.get("accept", "")
    if path.startswith("/api/") or accept.startswith("text/event-stream"):
        return True
    return "json" in accept and "text/html" not in accept


def _not_signed_in(request: Request, problem: Problem, *, has_ended: bool) -> Response:
    if wants_json(request):
        return problem._replace(extra={}).response()
    address = sign_in_address(request, urls_of(request), has_ended=has_ended)
    if is_partial_request(request):
        response = _html(request, problem)
        response.headers["HX-Redirect"] = address
        return response
    return RedirectResponse(address, 303)


def _html(request: Request, problem: Problem) -> Response:
    context = InlineError(problem.status, problem.title, problem.detail)
    page = ErrorPage(problem.status, problem.title, problem.detail, _trail_of(request, problem))
    text = templates_of(request).render(context if is_partial_request(request) else page)
    return html_response(text, status=problem.status, headers=dict(problem.headers))


def _trail_of(request: Request, problem: Problem) -> str:
    """Return where the audit log tells what became of a session that is not known any more; `""` for anything else."""
    named = request.path_params.get("session_id")
    if problem.status != 404 or not isinstance(named, str) or not _REFERENCE.fullmatch(named):
        return ""
    return urls_of(request).audit(q=named)


def _headers(error: SwitchroomError) -> Mapping[str, str]:
    if isinstance(error, NotSignedIn):
        return {"WWW-Authenticate": 'Bearer realm="switchroom"'}
    if isinstance(error, LimitReached):
        return {"Retry-After": str(error.retry_after)}
    return {"Retry-After": str(_RETRY_SECONDS)} if isinstance(error, StoreUnavailable) else {}


def _validation_problem(error: RequestValidationError) -> Problem:
    # Where and why, never the input itself: it may be a secret, and it may be 2 MiB.
    found = [
        {"field": ".".join(str(part)[:80] for part in each["loc"]), "message": str(each["msg"])[:200]}
        for each in error.errors()[:20]
    ]
    first = found[0] if found else {"field": "request", "message": "is not valid"}
    return Problem(422, "invalid_input", f"{first['field']}: {first['message']}", {"errors": found})
