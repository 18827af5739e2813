# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""What a host's web server says already that a new virtual host depends on: ports, names, and who needs mod_proxy."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Callable, Iterable, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core import apache_dump, nginx_preflight


def port_of(address: str, default: int | None = None) -> int | None:
    """Return the port of an address such as 80, *:80 or [::]:80; ``default`` where it names none."""
    word = address.rpartition(":")[2] if not address.endswith("]") else ""
    if word.isdigit() and (":" in address or "." not in address):
        return int(word)
    return default


def apache_listens(dump: Sequence[apache_dump.Directive], port: int, but: str) -> bool:
    """Tell whether Apache listens on a port by a line of a file that is not named ``but``."""
    return any(
        item.key == "listen" and item.words and PurePath(item.file).name != but and port_of(item.words[0]) == port
        for item in dump
    )


def apache_names(dump: Sequence[apache_dump.Directive], port: int, names: Sequence[str], but: str) -> str | None:
    """Return "name at file:line" of a virtual host in another file that has one of the names at the port."""
    for vhost in dump:
        if vhost.key != "virtualhost" or PurePath(vhost.file).name == but:
            continue
        if not any(port_of(address, port) == port for address in vhost.words):
            continue
        for item in vhost.children:
            if item.key in ("servername", "serveralias"):
                for word in item.words:
                    name = re.sub(r"^\w+://|:\d+$", "", word).lower()
                    if name in names:
                        return f"{name} at {item.file}:{item.line}"
    return None


def nginx_listens(tree: Sequence[nginx_preflight.Directive], port: int) -> bool:
    """Tell whether a server of nginx listens at a port."""
    return any(port in _ports(server) for server in tree if server.name == "server")


def _ports(server: nginx_preflight.Directive) -> list[int | None]:
    listens = [item.value for item in server.children if item.name == "listen"] or ["80"]
    return [port_of(address, 80) for address in listens if not address.startswith("unix:")]


def nginx_names(tree: Sequence[nginx_preflight.Directive], port: int, names: Sequence[str], but: str) -> str | None:
    """Return "name at file:line" of a server in another file that has one of the names at the port."""
    for server in tree:
        if server.name != "server" or PurePath(server.file).name == but:
            continue
        if port not in _ports(server):
            continue
        for item in server.children:
            if item.name == "server_name":
                for name in item.words[1:]:
                    if name.lower() in names:
                        return f"{name} at {item.file}:{item.line}"
    return None


def needs_proxy(
    directives: Iterable[apache_dump.Directive], passed_over: Callable[[apache_dump.Directive], bool]
) -> bool:
    """Tell whether a line needs mod_proxy: Proxy…, SetHandler proxy:, [P]. The modules' own files don't count."""
    return any(
        needs_proxy(item.children, passed_over) or _is_proxy(item) for item in directives if not passed_over(item)
    )


def _is_proxy(item: apache_dump.Directive) -> bool:
    if PurePath(item.file).parent.name in ("mods-enabled", "mods-available"):
        return False
    return item.key.startswith(("proxy", "balancer")) or bool(re.search(r"proxy:|fcgi://|\[[^]]*\bP\b", item.arguments))
