"""An embedding application's say on what operators may do."""

from __future__ import annotations

import pytest

from switchroom.server.errors import Forbidden
from switchroom.server.models import Actor, Role
from tests.support.servers import Site, running
from tests.support.toolbox import Toolbox
from tests.support.wire import session

pytestmark = pytest.mark.anyio

ANA, BEN = Actor("ana", Role.OPERATOR), Actor("ben", Role.OPERATOR)


async def expire(site: Site, actor: Actor) -> int:
    result = await site.switchroom.operations.expire(actor, "over", session_ids=[site.live().record.id])
    return len(result.expired)


async def test_an_application_decides_action_by_action_and_a_refusal_is_recorded() -> None:
    asked: list[tuple[str, str]] = []

    async def only_ana(actor: Actor, action: str, target: str) -> bool:
        asked.append((actor.name, action))
        return actor.name == "ana"

    async with running(Toolbox().mcp) as site, session(site.url):
        site.switchroom.operations.resolve_with(only_ana)
        with pytest.raises(Forbidden, match="application"):
            await expire(site, BEN)
        assert await expire(site, ANA) == 1
        assert asked == [("ben", "expire"), ("ana", "expire")]
        refused = await site.switchroom.directory.audit(actor="ben", limit=10)
        assert [(entry.action, entry.outcome) for entry in refused] == [("expire", "refused")]


async def test_it_cannot_give_more_than_the_role_allows() -> None:
    async def everything(actor: Actor, action: str, target: str) -> bool:
        return True

    async with running(Toolbox().mcp) as site, session(site.url):
        site.switchroom.operations.resolve_with(everything)
        with pytest.raises(Forbidden, match="role"):
            await expire(site, Actor("vic", Role.VIEWER))


async def test_one_that_raises_refuses(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(actor: Actor, action: str, target: str) -> bool:
        raise RuntimeError("no directory today")

    async with running(Toolbox().mcp) as site, session(site.url):
        site.switchroom.operations.resolve_with(broken)
        with pytest.raises(Forbidden):
            await expire(site, ANA)
    assert "no directory today" in caplog.text
