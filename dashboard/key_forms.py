"""The forms about one stored key, filled with what is true at this moment."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from ..server.attach import Switchroom
from ..server.errors import InvalidInput, NotFound
from ..server.models import Session, StoredKey
from .contexts.key_forms import KeyDeletionForm, KeyExpiryForm, KeyForm, KeyRevelationForm, PresentValue
from .formatting import size
from .highlight import render_json
from .urls import Urls

_DURATION: Final = re.compile(r"(?P<number>[0-9]{1,9}(?:\.[0-9]{1,3})?)\s*(?P<unit>s|m|h|d|w)?")
_UNITS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 7 * 86_400}


async def value_form(room: Switchroom, urls: Urls, session: Session, key: str) -> KeyForm:
    """Return the form with a key's present value.

    Raises:
        NotFound: The session does not hold it (any more).
    """
    stored = await room.directory.key(session.id, key)
    text = editable(stored.value) if stored.value is not None else ""
    return _value_form(urls, session, stored.name, text, stored.version, is_secret=stored.value is None)


def new_key_form(
    urls: Urls,
    session: Session,
    *,
    key: str = "",
    value: str = "",
    is_secret: bool = False,
    error: str = "",
    name_error: str = "",
) -> KeyForm:
    """Return the form for a key that is not there yet."""
    return _value_form(
        urls, session, key, value, 0, is_new=True, is_secret=is_secret, error=error, name_error=name_error
    )


async def value_form_again(
    room: Switchroom, urls: Urls, session: Session, key: str, value: str, version: int, *, error: str = ""
) -> KeyForm:
    """Return the form with what was typed, and beside it what the key holds now where that is another version."""
    try:
        stored = await room.directory.key(session.id, key)
    except NotFound:
        gone = error or "The key was deleted meanwhile. Storing it makes it anew."
        return _value_form(urls, session, key, value, 0, error=gone)
    is_other = stored.version != version
    return _value_form(
        urls,
        session,
        key,
        value,
        stored.version,
        is_secret=stored.value is None,
        error=error,
        present=_present(stored) if is_other else None,
    )


async def expiry_form(
    room: Switchroom, urls: Urls, session: Session, key: str, *, typed: str = "", error: str = ""
) -> KeyExpiryForm:
    """Return the form for a key's time to live.

    Raises:
        NotFound: The session does not hold it (any more).
    """
    stored = await room.directory.key(session.id, key)
    action = urls.key_form(session.id, "expiry")
    return KeyExpiryForm(action, stored.name, stored.version, stored.expires_at, typed, error)


async def deletion_form(
    room: Switchroom, urls: Urls, session: Session, key: str, *, error: str = ""
) -> KeyDeletionForm:
    """Return the form before a key is deleted.

    Raises:
        NotFound: The session does not hold it (any more).
    """
    stored = await room.directory.key(session.id, key)
    action = urls.key_form(session.id, "deletion")
    return KeyDeletionForm(action, stored.name, stored.version, size(stored.size_bytes), error)


def revelation_form(
    urls: Urls, session: Session, key: str, event_seq: int | None, *, error: str = "", value: str | None = None
) -> KeyRevelationForm:
    """Return the form that asks for the password, or the value after it was right."""
    shown = render_json(value) if value is not None else None
    return KeyRevelationForm(urls.key_form(session.id, "revelation"), key, event_seq, error, shown)


def editable(text: str) -> str:
    """Return JSON text as people edit it: indented, with everything that cannot be seen as an escape."""
    shown = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in shown)


def read_value(text: str) -> Any:
    """Return the value of JSON text that somebody typed.

    Raises:
        InvalidInput: It is no JSON; the message says where.
    """
    try:
        return json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        place = f"Line {error.lineno}, column {error.colno}"
        raise InvalidInput(f"{place}: {error.msg}. Text is written in quotes.") from None
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"This is no JSON: {error}.") from None


def read_duration(text: str) -> float | None:
    """Return seconds from `90s`, `15m`, `2h` or `3d`; `None` from nothing.

    Raises:
        InvalidInput: It is no time.
    """
    if not text.strip():
        return None
    match = _DURATION.fullmatch(text.strip().lower())
    if match is None:
        raise InvalidInput("Write a time such as 90s, 15m, 2h or 3d, or nothing.")
    return float(match["number"]) * _UNITS[match["unit"] or "s"]


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is not allowed")


def _present(stored: StoredKey) -> PresentValue:
    return PresentValue(stored.version, render_json(stored.value) if stored.value is not None else None)


def _value_form(
    urls: Urls,
    session: Session,
    key: str,
    value: str,
    version: int,
    *,
    is_new: bool = False,
    is_secret: bool = False,
    error: str = "",
    name_error: str = "",
    present: PresentValue | None = None,
) -> KeyForm:
    action = urls.key_form(session.id, "new" if is_new else "value")
    return KeyForm(action, key, is_new, is_secret, value, version, error, name_error, present)
