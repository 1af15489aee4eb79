"""Makes characters visible that would otherwise hide or turn text round: controls, bidi marks, surrogates.

Client names, keys, paths and payloads are written by strangers. Escaping keeps them inert; this keeps
them readable as what they are.
"""

from __future__ import annotations

import re
from typing import Final

_HIDDEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\uffff\ud800-\udfff\U000e0000-\U000e0fff]"
)
_SYMBOLS: Final = 0x2400
"""U+2400 is the block of control pictures: U+0000 is shown as U+2400 and so on."""


def _picture(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x20:
        return chr(_SYMBOLS + code)
    return "\u2421" if code == 0x7F else f"\u27e8U+{code:04X}\u27e9"


def visible_text(text: object, limit: int = 400) -> str:
    """Return at most `limit` characters of `text` on one line, every hidden character as a picture or `⟨U+202E⟩`."""
    whole = str(text)
    cut = whole[:limit]
    shown = _HIDDEN.sub(_picture, cut.replace("\n", "\u240a").replace("\t", "\u2409"))
    return f"{shown}…" if len(whole) > limit else shown


def visible_block(text: str) -> str:
    """Return `text` with hidden characters made visible; line breaks and tabs stay as they are."""
    return _HIDDEN.sub(_picture, text)
