"""Files for other programs: CSV that no spreadsheet runs, and JSON, sent while they are being read."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final, Literal

from fastapi.responses import StreamingResponse

Format = Literal["csv", "json"]

_STARTS_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula (OWASP, CSV injection)."""

Row = Mapping[str, object]
"""Plain values by the names of the columns."""


def export_response(
    lots: AsyncIterator[Sequence[Row]], columns: Sequence[str], form: Format, name: str
) -> StreamingResponse:
    """Return a download of rows that are read while it is sent.

    Args:
        columns: The names of a row's values, in order.
        name: The file's name without its ending.
    """
    body = _csv(lots, columns) if form == "csv" else _json(lots)
    return StreamingResponse(
        body,
        media_type="text/csv; charset=utf-8" if form == "csv" else "application/json",
        headers={
            "Content-Disposition": f'attachment; filename="{name}.{form}"',
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )


def safe_cell(value: object) -> object:
    """Return a value that a spreadsheet shows and does not run: strangers' text gets a `'` before `=cmd`."""
    if value is None:
        return ""
    if isinstance(value, bool | int | float):
        return value
    text = value if isinstance(value, str) else json.dumps(value)
    text = text.replace("\0", "")
    return f"'{text}" if text.lstrip(" \n").startswith(_STARTS_FORMULA) else text


async def _csv(lots: AsyncIterator[Sequence[Row]], columns: Sequence[str]) -> AsyncIterator[bytes]:
    yield _lines([columns])
    async for rows in lots:
        yield _lines([[safe_cell(row[column]) for column in columns] for row in rows])


def _lines(rows: Sequence[Sequence[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    # Half a surrogate pair in a client's name must not end the download.
    return text.getvalue().encode("utf-8", "backslashreplace")


async def _json(lots: AsyncIterator[Sequence[Row]]) -> AsyncIterator[bytes]:
    yield b"["
    separator = "\n"
    async for rows in lots:
        for row in rows:
            yield f"{separator}{json.dumps(row, ensure_ascii=True)}".encode("ascii")
            separator = ",\n"
    yield b"\n]\n"
