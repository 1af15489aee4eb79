"""What every part of the directory starts from."""

from __future__ import annotations

from ..engine.engine import Engine
from ..errors import NotFound
from ..models import SessionRecord


class Reads:
    """One part of the directory: it looks into the engine and its store, and changes neither."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def _record(self, session_id: str) -> SessionRecord:
        """Return a session's record, live or ended.

        Raises:
            NotFound: No such session is kept.
        """
        record = await self._engine.find_record(session_id)
        if record is None:
            raise NotFound(f"Session {session_id} is not known here. It may have ended too long ago to be kept.")
        return record
