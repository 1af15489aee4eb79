"""How often somebody may try to sign in: per account and address, per account, per address.

The counts are kept in this process. An account under attack from many addresses stays open to the
addresses its operator has signed in from before.
"""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Final

from ..server.attempts import Attempts, Rate

PER_PAIR: Final = Rate(5, 5, "pair")
"""Wrong passwords for one account from one address: 5 in 5 minutes."""

PER_ACCOUNT: Final = Rate(20, 15, "account")
"""Wrong passwords for one account from addresses it does not know: 20 in 15 minutes."""

PER_ADDRESS: Final = Rate(60, 10, "address")
"""Attempts on whatever accounts from one address: 60 in 10 minutes, so that colleagues behind one address fit."""

RECORDED: Final = Rate(100, 10, "recorded")
"""Refusals of one address that get an audit row each; a flood beyond is only counted in the log."""

_ACCOUNT_LENGTH: Final = 64


class SignInAttempts:
    """Counts attempts before they cost a password hash."""

    def __init__(self) -> None:
        self._attempts = Attempts()

    def admit(self, account: str, address: str, *, is_known_address: bool) -> None:
        """Count one attempt.

        Raises:
            LimitReached: There were too many; `retry_after` says when the next one is heard.
        """
        account, address = account.casefold()[:_ACCOUNT_LENGTH], _network(address)
        self._attempts.admit(PER_PAIR, account, address)
        if not is_known_address:
            self._attempts.admit(PER_ACCOUNT, account)
        self._attempts.admit(PER_ADDRESS, address)

    def succeeded(self, account: str, address: str) -> None:
        """Forget the failures of an account from this address, because the right password came."""
        self._attempts.forget(PER_PAIR, account.casefold()[:_ACCOUNT_LENGTH], _network(address))

    def is_recorded(self, address: str) -> bool:
        """Whether another refusal of this address still gets an audit row."""
        return self._attempts.count(RECORDED, _network(address))


def _network(address: str) -> str:
    # One IPv6 customer has 2**64 addresses or more, so they count together (RFC 6177).
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return str(IPv6Network((parsed, 64), strict=False)) if isinstance(parsed, IPv6Address) else address
