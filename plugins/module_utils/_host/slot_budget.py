# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""The host's budget, before a second master of a site starts."""

from __future__ import annotations

from typing import Any

from ansible_collections.phpops.webhost.plugins.module_utils._core.site_spec import SiteSpec
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import Layout
from ansible_collections.phpops.webhost.plugins.module_utils._host import systemd


class Budget:
    """A reservation for one master, from before its start until it runs."""

    def __init__(self, run: systemd.Run, override: bool) -> None:
        self.run, self.override = run, override

    def claim(self, spec: SiteSpec, slot: str, layout: Layout) -> dict[str, Any] | None:
        return None

    def release(self) -> None:
        return None
