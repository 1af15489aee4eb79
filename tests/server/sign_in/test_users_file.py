"""The users file: who may sign in, kept as hashes, changed while somebody reads it."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from switchroom.server.errors import Conflict, InvalidInput, NotFound, StartupError
from tests.support.users import PASSWORD, users_file, with_ana

pytestmark = pytest.mark.anyio


async def test_a_user_is_known_by_name_and_password_alone(tmp_path: Path) -> None:
    users = await with_ana(tmp_path)
    assert await users.verify("ana", PASSWORD) == "ana"
    assert await users.verify("ANA", PASSWORD) == "ana"
    assert await users.verify("ana", PASSWORD + "!") is None
    assert await users.verify("bob", PASSWORD) is None


async def test_the_file_holds_hashes_and_nobody_else_may_read_it(tmp_path: Path) -> None:
    users = await with_ana(tmp_path)
    text = users.path.read_text()
    assert PASSWORD not in text and "$argon2id$" in text
    assert stat.S_IMODE(users.path.stat().st_mode) == 0o600


async def test_a_change_by_another_process_is_seen_at_once(tmp_path: Path) -> None:
    users, command = await with_ana(tmp_path), users_file(tmp_path)
    before = await users.stamp("ana")
    await command.set_password("ana", "another password")
    assert await users.stamp("ana") not in (before, None)
    assert await users.verify("ana", PASSWORD) is None
    assert await users.verify("ana", "another password") == "ana"
    command.remove("ana")
    assert await users.stamp("ana") is None


async def test_without_a_file_nobody_can_sign_in(tmp_path: Path) -> None:
    users = users_file(tmp_path)
    assert (await users.verify("ana", PASSWORD), await users.stamp("ana"), users.names()) == (None, None, [])


async def test_names_and_passwords_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    users = await with_ana(tmp_path)
    with pytest.raises(Conflict, match="There is a user Ana already"):
        await users.add("Ana", PASSWORD)
    with pytest.raises(InvalidInput, match="1 to 64 letters"):
        await users.add("a b", PASSWORD)
    with pytest.raises(InvalidInput, match="12 characters or more"):
        await users.add("bob", "short")
    for change in (users.add("bob", f"{PASSWORD}\0"), users.set_password("ana", f"{PASSWORD}\x1b")):
        with pytest.raises(InvalidInput, match="control character"):
            await change  # nobody could sign in with it
    with pytest.raises(NotFound, match="There is no user bob"):
        users.remove("bob")
    assert users.names() == ["ana"]


@pytest.mark.parametrize("content", ["{", "[]", '{"users": {"ana": 1}}', "{}"])
async def test_a_file_that_cannot_be_read_says_so_instead_of_letting_nobody_in(tmp_path: Path, content: str) -> None:
    users = users_file(tmp_path)
    users.path.write_text(content)
    with pytest.raises(StartupError, match=r"users\.json cannot be used"):
        await users.verify("ana", PASSWORD)
