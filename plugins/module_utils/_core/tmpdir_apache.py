# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""What Apache's files and unit say of TMPDIR: for its php-cgi, for its CGI programs, and for itself."""

from __future__ import annotations

import posixpath
import re
import shlex
from typing import Iterable, Mapping, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.apache_dump import Directive
from ansible_collections.phpops.webhost.plugins.module_utils._core.migration import block
from ansible_collections.phpops.webhost.plugins.module_utils._core.tmpdir import HEADER

_PREFIX = "tmpdir:"
# envvars is a shell script that apache2ctl reads; what it sets wins over the unit's environment.
_ENVVARS = re.compile(r"(?m)^[ \t]*(?:export[ \t]+)?TMPDIR=(\S*)")


def with_blocks(text: str, places: Sequence[tuple[int, str, str]]) -> str:
    """Return an Apache file's text with TMPDIR for each (line of `<VirtualHost`, site, path), and for no other site.

    A block that is in its place already stays where it is. The text is latin-1. Raises BlockError.
    """
    wanted: dict[str, list[tuple[int, str]]] = {}
    for line, site, path in places:
        wanted.setdefault(site, []).append((line, path))
    new = []
    for site, hosts in wanted.items():
        if text.count(_told(hosts[0][1])) != len(hosts) or sites_in(text).count(site) != len(hosts):
            new += [(line, _PREFIX + site, _block(site, path)) for line, path in hosts]
    placed = block.place(text, new)
    return without_blocks(placed, [site for site in sites_in(placed) if site not in wanted])


def without_blocks(text: str, sites: Iterable[str]) -> str:
    """Return the text without the blocks of these sites: the bytes that were there before."""
    for site in sites:
        text = block.remove(text, _PREFIX + site)
    return text


def sites_in(text: str) -> list[str]:
    """Return the sites that have such a block in a text."""
    return [name[len(_PREFIX) :] for name in block.sites_in(text) if name.startswith(_PREFIX)]


def _told(path: str) -> str:
    return f'FcgidInitialEnv TMPDIR "{path}"'


def _block(site: str, path: str) -> str:
    name = f"phpops.webhost {_PREFIX}{site}"
    lines = [f"# BEGIN {name}", HEADER, _told(path), f"# END {name}"]
    return "".join(f"    {line}\n" for line in lines)


def cgi_folders(dump: Sequence[Directive], wrappers: Iterable[str]) -> list[str]:
    """Return the folders whose files are all CGI programs (ScriptAlias), without those that hold wrappers of php-cgi.

    php-cgi takes variables of a request for its environment: Apache's TMPDIR there would not be the site's.
    """
    excluded = {posixpath.dirname(path) for path in wrappers if path}
    found: list[str] = []

    def walk(items: Sequence[Directive]) -> None:
        for item in items:
            if item.key == "scriptalias" and len(item.words) == 2 and item.words[1].startswith("/"):
                folder = item.words[1].rstrip("/")
                if folder and folder not in excluded and folder not in found:
                    found.append(folder)
            walk(item.children)

    walk(dump)
    return sorted(found)


def listen_ports(dump: Sequence[Directive]) -> frozenset[str]:
    """Return the ports that Listen names, wherever it stands."""
    found: set[str] = set()
    for item in dump:
        if item.key == "listen" and item.words:
            found.add(item.words[0].rpartition(":")[2])
        found |= listen_ports(item.children)
    return frozenset(found)


def conf_text(folders: Sequence[str], path: str) -> str:
    """Return the lines that give CGI programs the variable; Apache passes none of its own environment on to them."""
    lines = [HEADER, "<IfModule mod_env.c>"]
    for folder in folders:
        lines += [f'    <Directory "{folder}">', f'        SetEnv TMPDIR "{path}"', "    </Directory>"]
    return "\n".join([*lines, "</IfModule>"]) + "\n" if folders else ""


def unit_text(path: str) -> str:
    """Return the drop-in that gives Apache itself the variable, from its next start on."""
    return f"{HEADER}\n[Service]\nEnvironment=TMPDIR={path}\n"


def envvars_warning(text: str, path: str, file: str) -> str | None:
    """Return a sentence where envvars sets another TMPDIR, which would win."""
    match = _of_envvars(text)
    if not match or match.group(1).strip("\"'") == path:
        return None
    line = text[: match.start()].count("\n") + 1
    return f"{file}:{line} sets TMPDIR={match.group(1)}, which wins over the unit's: take the line out."


def at_next_start(envvars: str, environment: str) -> str | None:
    """Return the TMPDIR that Apache will start with, by envvars and by its unit's Environment as systemctl shows it."""
    match = _of_envvars(envvars)
    if match:
        return match.group(1).strip("\"'")
    try:
        words = shlex.split(environment)
    except ValueError:
        words = environment.split()
    return next((word[len("TMPDIR=") :] for word in words if word.startswith("TMPDIR=")), None)


def _of_envvars(text: str) -> re.Match[str] | None:
    """Return the line that sets TMPDIR last, which wins."""
    return next(reversed(list(_ENVVARS.finditer(text))), None)


def changed(before: Mapping[str, bytes | None], after: Mapping[str, bytes | None]) -> list[str]:
    """Return the paths whose bytes change."""
    return sorted(path for path in after if after[path] != before.get(path))
