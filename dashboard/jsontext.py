"""JSON text that somebody else wrote, read without trust in its shape."""

from __future__ import annotations

import json
from typing import Any, cast


def object_of(text: str | None) -> dict[str, Any]:
    """Return the object a JSON text holds; empty when it is no JSON, or another kind of value."""
    try:
        value = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def value_of(text: str | None) -> object:
    """Return the value a JSON text holds, or the text itself when it is no JSON (any more)."""
    try:
        return None if text is None else json.loads(text)
    except (ValueError, RecursionError):
        return text
