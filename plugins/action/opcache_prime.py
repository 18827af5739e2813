# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Primes in slices, and says meanwhile what is waited for."""

from __future__ import annotations

from typing import Any

from ansible_collections.phpops.webhost.plugins.module_utils._core.prime_state import shown
from ansible_collections.phpops.webhost.plugins.plugin_utils.progress import SlicedAction

SHOWN = 5


class ActionModule(SlicedAction):
    """The action of the module opcache_prime."""

    def beginning(self, args: dict[str, Any]) -> str:
        entries = args.get("entry_points")
        what = "the slot's stored entry points"
        if isinstance(entries, list):
            named = [entry for entry in entries if isinstance(entry, dict)]
            paths = [shown(str(one.get("path") or "/index.php"), str(one.get("query") or "")) for one in named]
            more = f" and {len(paths) - SHOWN} more" if len(paths) > SHOWN else ""
            what = ", ".join(paths[:SHOWN]) + more
        return f"{args.get('site') or args.get('socket')}: priming begins, waiting for {what}" if what else ""
