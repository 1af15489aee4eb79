"""Who may sign in: operators, API tokens, sign-ins and one-time links, kept apart from the event file.

They live in an SQLite file of their own beside it, in rollback-journal mode, which several processes
may write at once: `switchroom tokens create` works while the server runs and while it does not.
"""

from __future__ import annotations

from .accounts import Accounts, accounts_path, open_accounts
from .links import LINK_SECONDS
from .models import ApiToken, OpenSignIn, Operator, SavedView, SignIn
from .notes import Note
from .passwords import MIN_PASSWORD_LENGTH, Passwords
from .sign_ins import ABSOLUTE_SECONDS, IDLE_SECONDS

__all__ = [
    "ABSOLUTE_SECONDS",
    "IDLE_SECONDS",
    "LINK_SECONDS",
    "MIN_PASSWORD_LENGTH",
    "Accounts",
    "ApiToken",
    "Note",
    "OpenSignIn",
    "Operator",
    "Passwords",
    "SavedView",
    "SignIn",
    "accounts_path",
    "open_accounts",
]
