# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Folders for temporary files on a tmpfs: their names, who may use them, and how they outlive a reboot."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any, Mapping, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.units import human_bytes

SHM, OWN = "shm", "own"
SHM_PATH, OWN_PATH = "/dev/shm", "/var/lib/phpops-tmp"
FPM, PHP_CGI, WEB_SERVER = "fpm", "php_cgi", "web_server"
# No site can have a dot in its name.
WEB_SERVER_NAME = ".apache2"
HEADER = "# Ansible managed: phpops.webhost, role tmpdir"
SESSIONS = "sessions"
_AGE = re.compile(r"^(?:[1-9][0-9]*(?:s|min|m|h|d|w))+$")


class TmpdirError(Exception):
    """Something can't be done; one sentence with the value and the cure."""


@dataclass(frozen=True)
class Directory:
    """One folder: for a site (kind fpm or php_cgi) or for Apache itself. ``size_bytes``: of the tmpfs that it is on.

    ``suexec``: a php_cgi site whose environment suexec empties. ``memory_max_bytes``: the site's own limit, if any.
    """

    site: str
    kind: str
    path: str
    user: str
    group: str
    uid: int
    gid: int
    size_bytes: int
    suexec: bool = False
    memory_max_bytes: int | None = None

    @property
    def shared(self) -> bool:
        """Return whether it is on /dev/shm, where logind removes what belongs to a user who logged out."""
        return self.path.startswith(f"{SHM_PATH}/")

    @property
    def owner(self) -> tuple[int, int, int]:
        """Return owner, group and mode: on /dev/shm it is root's, so that logind can only take files in it."""
        return (0, self.gid, 0o1770) if self.shared else (self.uid, self.gid, 0o700)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, as the modules hand them over."""
        return asdict(self)


def path_of(mount: str, site: str) -> str:
    """Return the folder of a site, or of WEB_SERVER_NAME."""
    if mount == SHM:
        return f"{SHM_PATH}/phpops{site if site == WEB_SERVER_NAME else '-' + site}"
    return f"{OWN_PATH}/{site}"


def tmpfiles_path(site: str, folder: str = "/etc/tmpfiles.d") -> str:
    """Return the file that makes a folder again at boot and ages what is in it."""
    return f"{folder}/phpops{site if site == WEB_SERVER_NAME else '-' + site}.conf"


def tmpfiles_text(directory: Directory, age: str, sessions: bool) -> str:
    """Return lines for systemd-tmpfiles (tmpfiles.d(5)). Numbers, because at boot no network names an account yet."""
    uid, gid, mode = directory.owner
    paths = [directory.path]
    if sessions and directory.kind == FPM:
        paths.append(f"{directory.path}/{SESSIONS}")
    lines = [f"d {path} {mode:04o} {uid} {gid} {age} -" for path in paths]
    return "\n".join([HEADER, f"# Temporary files of {directory.site.lstrip('.')}.", *lines]) + "\n"


def check_age(age: str) -> None:
    """TmpdirError for an age that systemd-tmpfiles would not take, or that would keep nothing or all."""
    if not _AGE.fullmatch(age):
        raise TmpdirError(f"The age is {age!r}: give a time such as 12h, 1d or 1d12h.")


def check_size(what: str, size_bytes: int) -> None:
    """TmpdirError for a size in which nothing has room."""
    if size_bytes < 1024 * 1024:
        raise TmpdirError(f"{what} is {size_bytes} bytes: give at least 1048576.")


def sharers(user: str, gid: int, accounts: Sequence[tuple[str, int]], members: Sequence[str]) -> list[str]:
    """Return who else is in a group: (name, primary group) of all accounts, and the group's own members."""
    found = {name for name, primary in accounts if primary == gid} | set(members)
    return sorted(found - {user, "root"})


def refuse_sharers(directory: Directory, others: Sequence[str]) -> None:
    """TmpdirError where a folder on /dev/shm, open to the group, would be open to others as well."""
    if not directory.shared or not others:
        return
    own = "tmpfs of its own (tmpdir_mount: own)"
    who, cure = f"Site {directory.site}", f"give the site a group of its own, or each site a {own}"
    if directory.kind == WEB_SERVER:
        who, cure = "Apache", f"give each site and Apache a {own}, or leave Apache out (tmpdir_web_server: false)"
    raise TmpdirError(
        f"{who}: its group {directory.group} is also the group of {', '.join(others[:3])}, who could read its temporary"
        f" files in {directory.path}; {cure}."
    )


def refuse_crowded(size_bytes: int, used_bytes: int, first: bool) -> None:
    """TmpdirError where /dev/shm is too full for its new size; ``first``: nothing in it is ours yet."""
    used, size = human_bytes(used_bytes), human_bytes(size_bytes)
    if used_bytes > size_bytes:
        raise TmpdirError(
            f"{SHM_PATH} holds {used}, more than the new size of {size}: give a larger tmpdir_size_bytes."
        )
    if first and used_bytes > size_bytes // 2:
        raise TmpdirError(
            f"Others hold {used} in {SHM_PATH}, more than half of the new size of {size}: give at least"
            f" tmpdir_size_bytes: {2 * used_bytes}, or each site a tmpfs of its own (tmpdir_mount: own)."
        )


def warnings(directory: Directory) -> list[str]:
    """Return what a folder's user should know: a site's own memory limit pays for its temporary files too."""
    limit = directory.memory_max_bytes
    if limit is None or directory.size_bytes <= limit // 2:
        return []
    return [
        f"Site {directory.site}: its memory limit of {human_bytes(limit)} also pays for its files in {directory.path},"
        f" which may grow to {human_bytes(directory.size_bytes)}."
    ]


def directory_of(values: Mapping[str, Any]) -> Directory:
    """Return a folder from plain values."""
    return Directory(**{name: values[name] for name in Directory.__dataclass_fields__ if name in values})
