# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""What PHP-FPM's configuration says of its pools, as far as one needs it to ask them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Callable, Mapping, Sequence

MAX_FILES, MAX_DEPTH = 2000, 8
_SECTION = re.compile(r"\[([^\]\r\n]{1,200})\]")
_LINE = re.compile(r"([A-Za-z_.]{1,64}(?:\[[^\]\r\n]{1,200}\])?)\s*=\s*(.*)")

Include = Callable[[str], Sequence[str]]


@dataclass
class PoolConf:
    """One pool's section: the directives by their names, quotes and comments removed, $pool replaced."""

    name: str
    table: dict[str, str] = field(default_factory=dict)

    def get(self, name: str) -> str:
        """Return a directive's value, empty where it is not set."""
        return self.table.get(name, "").replace("$pool", self.name)

    def ini(self, name: str) -> str:
        """Return an ini value that the pool sets, by the stronger way first; empty where it sets none."""
        return self.get(f"php_admin_value[{name}]") or self.get(f"php_value[{name}]")

    @property
    def max_children(self) -> int | None:
        """Return how many workers the pool may have, None when it does not say."""
        value = self.get("pm.max_children")
        return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else None

    @property
    def extension(self) -> str:
        """Return an ending that the pool runs scripts with: the first of security.limit_extensions, else ".php"."""
        words = self.get("security.limit_extensions").split()
        return next((word for word in words if re.fullmatch(r"\.[A-Za-z0-9_-]{1,16}", word)), ".php")


def parse(text: str, include: Include) -> dict[str, PoolConf]:
    """Return the pools of FPM's configuration by name; ``include`` gives the texts of a pattern's files.

    [global] is left out. A section that comes again adds to the first. Included text begins in the section of the line
    that includes it, as FPM has it (fpm_conf.c, fpm_conf_ini_parser_include). Lines of another form are passed over.
    """
    pools: dict[str, PoolConf] = {}
    _read(text, include, pools, "global", [MAX_FILES], 0)
    return pools


def _read(text: str, include: Include, pools: dict[str, PoolConf], section: str, left: list[int], depth: int) -> str:
    for raw in text.splitlines():
        line = raw.strip()
        if not line or line[0] in ";#":
            continue
        header = _SECTION.match(line)
        if header:
            section = header.group(1).strip()
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            continue
        name, value = match.group(1), _bare(match.group(2))
        if name == "include":
            for other in include(value) if left[0] > 0 and depth < MAX_DEPTH else ():
                left[0] -= 1
                if left[0] >= 0:
                    section = _read(other, include, pools, section, left, depth + 1)
        elif section != "global":
            pools.setdefault(section, PoolConf(section)).table[name] = value
    return section


def _bare(value: str) -> str:
    """Return a value without its quotes or the comment after it."""
    quote = value[:1]
    if quote in ('"', "'"):
        end = value.find(quote, 1)
        return value[1:end] if end > 0 else value[1:]
    return value.split(";", 1)[0].strip()


def pool_of(address: str, pools: Mapping[str, PoolConf]) -> tuple[str | None, bool]:
    """Return (name of the pool that listens on an address, whether it is the pool's own socket for its status page).

    address as listening.py gives it: a path, "host:port" or "[host]:port"; a pool may name the port alone.
    """
    for key, for_status in (("listen", False), ("pm.status_listen", True)):
        for name, conf in pools.items():
            said = conf.get(key)
            if said and (said == address or (said.isdigit() and address.rpartition(":")[2] == said)):
                return name, for_status
    return None, False
