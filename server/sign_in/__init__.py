"""Signing a session in with a name and a password, for tools that need to know who calls them."""

from __future__ import annotations

from .service import SignIns
from .session import SignIn, sign_in
from .users_file import UsersFile
from .verifier import UserVerifier

__all__ = ["SignIn", "SignIns", "UserVerifier", "UsersFile", "sign_in"]
