# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""The numbers of a host's accounts."""

from __future__ import annotations

import grp
import os
import pwd
from typing import NamedTuple


class Ids(NamedTuple):
    """A user's id, the id of the group that it runs with, and all groups that it is in."""

    uid: int
    gid: int
    gids: list[int]


def ids(user: str, group: str | None = None) -> Ids:
    """Return the numbers of a user who runs with a group (its own without one). Raises KeyError for unknown names."""
    found = pwd.getpwnam(user)
    gid = grp.getgrnam(group).gr_gid if group else found.pw_gid
    return Ids(found.pw_uid, gid, os.getgrouplist(user, gid))
