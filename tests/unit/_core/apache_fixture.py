# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Loads a saved dump of a real Apache."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ansible_collections.phpops.webhost.plugins.module_utils._core.apache_dump import (
    Directive,
    VhostName,
    parse_config_dump,
    parse_modules,
    parse_run_configuration,
    parse_vhosts,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.apache_handlers import Server
from ansible_collections.phpops.webhost.plugins.module_utils._core.apache_sites import Vhost, find_vhosts

DUMPS = Path(__file__).parents[2] / "fixtures" / "apachedump"


@dataclass(frozen=True)
class Dump:
    config: list[Directive]
    listed: list[VhostName]
    run: dict[str, str]
    modules: list[str]

    @property
    def vhosts(self) -> list[Vhost]:
        return find_vhosts(self.config, self.listed, self.run)[1]

    def server(self, name: str, htaccess=None, address: str = "") -> Server:
        main, vhosts = find_vhosts(self.config, self.listed, self.run)
        (vhost,) = [item for item in vhosts if item.server_name == name and address in " ".join(item.addresses)]
        children = vhost.section.children if vhost.section else []
        return Server(main, children, vhost.document_root, self.modules, htaccess or {})


def load(name: str) -> Dump:
    vhosts = (DUMPS / f"{name}.vhosts.txt").read_text()
    return Dump(
        parse_config_dump((DUMPS / f"{name}.config.txt").read_text()),
        parse_vhosts(vhosts),
        parse_run_configuration(vhosts),
        parse_modules((DUMPS / f"{name}.modules.txt").read_text()),
    )
