"""A record that is not in memory, as people see it."""

from __future__ import annotations

import pytest

from switchroom.server.engine.describing import describe
from switchroom.server.models import SessionState
from tests.support.stores import make_record


@pytest.mark.parametrize("state", SessionState)
def test_no_page_shows_the_bare_name_of_the_initialized_state(state: SessionState) -> None:
    """A session leaves memory a moment before its end is stored; a live row may be drawn in between."""
    shown = describe(make_record(1, state=state))
    assert shown.status == ("idle" if state is SessionState.INITIALIZED else state.value)
