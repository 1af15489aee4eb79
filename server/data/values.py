"""What a stored value may be, as JSON text and back, and what a key may be called."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

import pydantic_core
from pydantic import BaseModel, PydanticSchemaGenerationError, SecretBytes, SecretStr, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from ..errors import InvalidInput

MAX_NAME = 200
"""Characters of a key's name."""

MAX_TEXT = 10_000
"""Characters of an argument that an answer repeats, as of a broadcast; clients refuse answers of a megabyte."""

_NO_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters but tab and line ends, and halves of surrogate pairs."""

T = TypeVar("T")


def check_name(name: str) -> None:
    """Refuse names that people cannot read or type.

    Raises:
        InvalidInput: With what is allowed.
    """
    if name.strip() and len(name) <= MAX_NAME and name.isprintable():
        return
    if not name or len(name) > MAX_NAME:
        why = f"has {len(name):,}."
    else:
        why = "is blank." if name.isprintable() else "has characters that cannot be printed."
    raise InvalidInput(f"A key's name has 1 to {MAX_NAME} printable characters; this one {why}")


def check_text(text: str, field: str, *, most: int = MAX_TEXT) -> None:
    """Refuse an argument that is repeated to people, in an answer or a message, and is too long or no text.

    Args:
        most: Characters that it may have.

    Raises:
        InvalidInput: With what is allowed. The text itself is not repeated.
    """
    if len(text) > most:
        raise InvalidInput(f"{field} has at most {most:,} characters; this has {len(text):,}.", field=field)
    odd = _NO_TEXT.search(text)
    if odd is not None:
        what = f"U+{ord(odd[0]):04X}"
        raise InvalidInput(f"{field} is text; this has the control character {what}: leave it out.", field=field)


def shortened(text: str, characters: int = 60) -> str:
    """Return what a client gave as an error repeats it: quoted, so that nothing in it acts, and not long."""
    return repr(text if len(text) <= characters else f"{text[:characters]}…")


def to_json(value: Any, *, may_hold_secrets: bool = False) -> str:
    """Return a value as JSON text in ASCII: plain JSON, or what pydantic can make JSON of.

    Args:
        may_hold_secrets: Write out what a `SecretStr` holds, for a value that is sealed. Otherwise one is refused,
            since pydantic would write asterisks in its place.

    Raises:
        InvalidInput: It has no JSON form.
    """
    try:
        return json.dumps(value, separators=(",", ":"), allow_nan=False)
    except RecursionError:
        raise InvalidInput("Stored values must be JSON: this one is nested too deep.") from None
    except ValueError as error:
        raise InvalidInput(f"Stored values must be JSON: {error}.") from None
    except TypeError as error:
        reason = str(error)
    try:
        plain = pydantic_core.to_jsonable_python(_plain(value, may_hold_secrets), by_alias=True)
        return json.dumps(plain, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, PydanticSerializationError, PydanticSchemaGenerationError):
        raise InvalidInput(f"Stored values must be JSON: {reason}.") from None


def _plain(value: Any, may_hold_secrets: bool) -> Any:
    """Return a value in which models are dictionaries and secrets, where they are allowed, are text."""
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="python", by_alias=True)
    if isinstance(value, SecretStr | SecretBytes):
        if not may_hold_secrets:
            raise InvalidInput("This value holds a secret (SecretStr): store it with secret=True.")
        shown = value.get_secret_value()
        return shown if isinstance(shown, str) else shown.decode("utf-8", "replace")
    if isinstance(value, Mapping):
        members = cast("Mapping[object, Any]", value)
        return {name: _plain(member, may_hold_secrets) for name, member in members.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(member, may_hold_secrets) for member in cast("list[Any]", value)]
    return value


def reader_of(kind: type[T], name: str) -> Callable[[str], T]:
    """Return what reads JSON text as a `kind`: a pydantic model, a dataclass, `list[int]`, …

    The result raises `InvalidInput` when what is stored is no `kind`.
    """
    adapter = TypeAdapter(kind)

    def read(text: str) -> T:
        try:
            return adapter.validate_json(text)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(map(str, first["loc"])) or "the value"
            what = getattr(kind, "__name__", str(kind))
            raise InvalidInput(f'Stored key "{name}" is no {what}: {place}: {first["msg"]}.') from None

    return read
