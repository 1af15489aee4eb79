"""Named groups of sessions that coordinate with one another, through tools."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

DEFAULT_GROUP: Final = "default"
"""The group of a tool call that names none."""

GROUP_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._:-]{0,63}")
"""What a group may be called: it stands in filters, addresses and log messages without quotes."""

GROUP_NAME_RULE: Final = (
    "A group's name has 1 to 64 characters: lower-case letters, digits, dots, dashes, colons and underscores, "
    "and begins with a letter or digit."
)


class Member(NamedTuple):
    """One session's membership in one group. A group is there as long as it has a member."""

    server: str
    """Name of the mounted MCP server: groups of two servers are two groups, whatever they are called."""
    group: str
    session_id: str
    joined_at: float


class Group(NamedTuple):
    """One group and who is in it."""

    server: str
    name: str
    members: tuple[Member, ...]
    """The longest-standing first; never empty."""

    @property
    def since(self) -> float:
        """When the member that has been in it longest joined."""
        return self.members[0].joined_at
