"""What engines make of text that came from a client, so that every engine returns the same.

Plain text loses NUL and lone surrogates, which a database cannot search; JSON text keeps its
meaning, since everything outside ASCII can be written as an escape.
"""

from __future__ import annotations

import json
import re
import sys
from typing import overload

from ..models import Event

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

_UNFIT = re.compile("[\x00\ud800-\udfff]")
_NOT_ASCII = re.compile("[^\x01-\x7f]")
_MAX_INTEGER = 2**63 - 1


@overload
def plain_text(text: str) -> str: ...
@overload
def plain_text(text: str | None) -> str | None: ...
def plain_text(text: str | None) -> str | None:
    """Return the text with NUL and lone surrogates replaced by U+FFFD; the same object when there are none."""
    if text is None or (text.isascii() and "\0" not in text):
        return text
    return _UNFIT.sub(REPLACEMENT, text)


@overload
def json_text(text: str) -> str: ...
@overload
def json_text(text: str | None) -> str | None: ...
def json_text(text: str | None) -> str | None:
    """Return JSON text with everything outside ASCII escaped; the same object when there is nothing to escape."""
    if text is None or (text.isascii() and "\0" not in text):
        return text
    return _NOT_ASCII.sub(lambda match: json.dumps(match[0])[1:-1], text)


def shared(text: str | None) -> str | None:
    """Return the one copy of a text that many sessions have in common, such as the name of their client."""
    return None if text is None else sys.intern(text)


def clean_event(event: Event) -> Event:
    """Return the event as it is kept; the same object in all but hostile cases."""
    method, request_id, payload, error_code = event.method, event.request_id, event.payload, event.error_code
    if (
        (method is None or (method.isascii() and "\0" not in method))
        and (request_id is None or (request_id.isascii() and "\0" not in request_id))
        and (payload is None or (payload.isascii() and "\0" not in payload))
        and (error_code is None or -_MAX_INTEGER <= error_code <= _MAX_INTEGER)
    ):
        return event
    return event._replace(
        method=plain_text(method),
        request_id=json_text(request_id),
        payload=json_text(payload),
        error_code=None if error_code is None else max(-_MAX_INTEGER, min(error_code, _MAX_INTEGER)),
    )
