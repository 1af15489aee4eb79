"""`switchroom tokens` and `switchroom operators`, on the file that a server would use."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import anyio
import pytest
from click.testing import CliRunner, Result

from switchroom.dashboard.cli.accounts import operators, tokens
from switchroom.server.accounts import Accounts
from switchroom.server.errors import StartupError, SwitchroomError
from switchroom.server.models import Role

T = TypeVar("T")

PASSWORD = "correct horse battery"


@pytest.fixture
def db(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/switchroom.db"


def run(group: object, *arguments: str, stdin: str = "") -> Result:
    """Run a command; a deliberate error is raised, because the group above these shows it."""
    assert group in (tokens, operators)
    result = CliRunner().invoke(tokens if group is tokens else operators, arguments, input=stdin)
    if isinstance(result.exception, SwitchroomError):
        raise result.exception
    return result


def look(tmp_path: Path, work: Callable[[Accounts], Awaitable[T]]) -> T:
    """Read the accounts file as a server would."""

    async def opened() -> T:
        accounts = Accounts(tmp_path / "switchroom.accounts.db")
        await accounts.open()
        try:
            return await work(accounts)
        finally:
            await accounts.close()

    return anyio.run(opened)


def test_a_token_is_printed_alone_on_the_last_line_and_works(tmp_path: Path, db: str) -> None:
    result = run(tokens, "create", "--name", "deploy", "--role", "operator", "--expires", "30d", "--db", db)
    assert result.exit_code == 0
    *_, secret = result.stdout.splitlines()
    token = look(tmp_path, lambda accounts: accounts.tokens.find(secret))
    assert token is not None and (token.name, token.role) == ("deploy", Role.OPERATOR)
    assert token.expires_at == pytest.approx(token.created_at + 30 * 86_400)
    assert not (tmp_path / "switchroom.db").exists()


def test_a_token_made_by_another_process_holds_in_open_accounts(tmp_path: Path, db: str) -> None:
    async def made_meanwhile(accounts: Accounts) -> str | None:
        command = [sys.executable, "-m", "switchroom.dashboard", "tokens", "create", "--name", "ci", "--role", "viewer"]
        finished = await anyio.run_process([*command, "--db", db])
        secret = finished.stdout.decode().splitlines()[-1]
        token = await accounts.tokens.find(secret)
        return token.name if token is not None else None

    assert look(tmp_path, made_meanwhile) == "ci"


def test_tokens_are_listed_without_secrets_and_revoked(db: str) -> None:
    secret = run(tokens, "create", "--name", "deploy", "--role", "viewer", "--db", db).stdout.splitlines()[-1]
    listed = run(tokens, "list", "--db", db).stdout
    assert "deploy" in listed and "does not expire" in listed and secret not in listed
    assert "is revoked" in run(tokens, "revoke", "deploy", "--db", db).stdout
    assert "revoked 20" in run(tokens, "list", "--db", db).stdout
    with pytest.raises(SwitchroomError, match="no valid token"):
        run(tokens, "revoke", "deploy", "--db", db)


@pytest.mark.parametrize("expires", ["30", "0d", "-1d", "d", "1y", "999999d", "1.5h"])
def test_a_time_that_is_none_is_refused_with_examples(db: str, expires: str) -> None:
    result = run(tokens, "create", "--name", "a", "--role", "viewer", f"--expires={expires}", "--db", db)
    assert result.exit_code == 2 and "30d" in result.output


def test_a_database_in_memory_has_no_file_to_work_on() -> None:
    with pytest.raises(StartupError, match="sqlite"):
        run(tokens, "create", "--name", "a", "--role", "viewer", "--db", "memory:")


def test_operators_are_added_changed_and_kept_out(tmp_path: Path, db: str) -> None:
    added = run(operators, "add", "ana", "--role", "operator", "--password-stdin", "--db", db, stdin=PASSWORD + "\n")
    assert added.exit_code == 0
    assert look(tmp_path, lambda accounts: accounts.operators.is_password("ana", PASSWORD))
    run(operators, "password", "ana", "--db", db, stdin="another long one\nanother long one\n")
    assert look(tmp_path, lambda accounts: accounts.operators.is_password("ana", "another long one"))
    run(operators, "disable", "ana", "--db", db)
    assert "disabled" in run(operators, "list", "--db", db).stdout
    run(operators, "enable", "ana", "--db", db)
    assert "may sign in" in run(operators, "list", "--db", db).stdout
    with pytest.raises(SwitchroomError, match="no operator ben"):
        run(operators, "disable", "ben", "--db", db)


def test_a_typed_password_is_asked_for_twice_and_never_shown(db: str) -> None:
    result = run(operators, "add", "ana", "--role", "viewer", "--db", db, stdin=f"{PASSWORD}\n{PASSWORD}\n")
    assert result.exit_code == 0 and PASSWORD not in result.output


def test_a_short_password_is_refused(db: str) -> None:
    with pytest.raises(SwitchroomError, match="12 characters"):
        run(operators, "add", "ana", "--role", "viewer", "--password-stdin", "--db", db, stdin="short\n")


def test_a_deliberate_error_is_one_sentence(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "switchroom.dashboard", "tokens", "list", "--db", f"sqlite:///{tmp_path}/no/a.db"]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 1 and finished.stderr.startswith("Error: The accounts file")
    assert len(finished.stderr.splitlines()) == 1


def test_a_link_a_role_and_the_end_of_a_sign_in(tmp_path: Path, db: str) -> None:
    run(operators, "add", "mona", "--role", "admin", "--password-stdin", "--db", db, stdin=PASSWORD + "\n")
    with pytest.raises(SwitchroomError, match="last admin"):
        run(operators, "role", "mona", "--role", "viewer", "--db", db)
    run(operators, "add", "lin", "--role", "viewer", "--password-stdin", "--db", db, stdin=PASSWORD + "\n")
    assert "operator" in run(operators, "role", "lin", "--role", "operator", "--db", db).stdout
    *_, link = run(operators, "link", "lin", "--url", "https://c.example.org/admin/", "--db", db).stdout.splitlines()
    head, _, secret = link.partition("?token=")
    assert head == "https://c.example.org/admin/login/link"
    assert look(tmp_path, lambda accounts: accounts.links.consume(secret)) == "lin"
    look(tmp_path, lambda accounts: accounts.sign_ins.begin("lin", "192.0.2.7"))
    *_, row = run(operators, "sign-ins", "--db", db).stdout.splitlines()
    assert "lin" in row and "192.0.2.7" in row
    assert "lin" in run(operators, "end", row.split()[0], "--db", db).stdout
    assert look(tmp_path, lambda accounts: accounts.sign_ins.open()) == []


# -- what the audit log says of it --------------------------------------------------------------


def noted(tmp_path: Path) -> list[tuple[str, str, str]]:
    found = look(tmp_path, lambda accounts: accounts.notes.ready())
    return [(note.action, note.target, note.outcome) for note in found]


def test_every_change_leaves_word_for_the_audit_log_and_listing_does_not(tmp_path: Path, db: str) -> None:
    password = f"{PASSWORD}\n"
    run(operators, "add", "ann", "--role", "admin", "--password-stdin", "--db", db, stdin=password)
    run(operators, "add", "mona", "--role", "viewer", "--password-stdin", "--db", db, stdin=password)
    for arguments in (
        ["role", "mona", "--role", "operator"],
        ["disable", "mona"],
        ["enable", "mona"],
        ["link", "mona"],
    ):
        assert run(operators, *arguments, "--db", db).exit_code == 0
    run(operators, "password", "mona", "--password-stdin", "--db", db, stdin=password)
    run(operators, "list", "--db", db)
    secret = run(tokens, "create", "--name", "ci", "--role", "viewer", "--db", db).stdout.splitlines()[-1]
    run(tokens, "revoke", "ci", "--db", db)
    with pytest.raises(SwitchroomError):
        run(operators, "disable", "nobody", "--db", db)
    changes = ["add_operator", "add_operator", "set_role", "disable_operator", "enable_operator", "make_link"]
    assert noted(tmp_path) == [
        *((action, "ann" if index == 0 else "mona", "done") for index, action in enumerate(changes)),
        ("change_password", "mona", "done"),
        ("create_token", "ci", "done"),
        ("revoke_token", "ci", "done"),
        ("disable_operator", "nobody", "failed"),
    ]
    kept = (tmp_path / "switchroom.accounts.db").read_bytes()
    assert secret.encode() not in kept and PASSWORD.encode() not in kept


def test_a_command_that_was_killed_is_carried_as_started(tmp_path: Path) -> None:
    now = [1_000.0]

    async def lost() -> list[str]:
        accounts = Accounts(tmp_path / "switchroom.accounts.db", clock=lambda: now[0])
        await accounts.open()
        await accounts.notes.begin("root", "disable_operator", "mona")
        assert await accounts.notes.ready() == []
        now[0] += 61
        found = [note.outcome for note in await accounts.notes.ready()]
        await accounts.close()
        return found

    assert anyio.run(lost) == ["started"]
